"""
A double of the Azure Functions host, Durable Functions included, on a clock that is handed in.

See docs/azsim/host.md for what it does like the real one, by which source, and what it lacks.
"""

from azsim.host.durable.client import Orchestration, Refused
from azsim.host.durable.decisions import NotSimulated
from azsim.host.durable.storage import DurableStorage, Status
from azsim.host.faults import HostFaults, Mishap, ProcessKilled
from azsim.host.host import Host, HostStuck, Invocation, InvocationStatus
from azsim.host.waiting import Jump, Waiting, WaitReally
from azsim.host.worker import LoadError

__all__ = [
    "DurableStorage",
    "Host",
    "HostFaults",
    "HostStuck",
    "Invocation",
    "InvocationStatus",
    "Jump",
    "LoadError",
    "Mishap",
    "NotSimulated",
    "Orchestration",
    "ProcessKilled",
    "Refused",
    "Status",
    "WaitReally",
    "Waiting",
]
