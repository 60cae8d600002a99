"""`vmbackup simulate` in one process, and a command that takes it for Azure in another."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.enable_socket
PATIENCE = 60


@dataclass
class Simulation:
    process: subprocess.Popen[str]
    ready: Mapping[str, Any]
    printed: list[str]

    def vmbackup(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "vmbackup_cli", *arguments],
            env=clean() | self.ready["env"],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )


def clean() -> dict[str, str]:
    """Return this process's environment without what would lead a client elsewhere."""
    own = ("VMBACKUP_", "AZURE_", "IDENTITY_", "MSI_")
    return {k: v for k, v in os.environ.items() if not k.startswith(own)}  # noqa: TID251


@pytest.fixture(scope="module")
def simulation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulation]:
    file = tmp_path_factory.mktemp("simulate") / "ready.json"
    arguments = ["simulate", "--vms", "30", "--seed", "3", "--ready-file", str(file)]
    with subprocess.Popen(
        [sys.executable, "-m", "vmbackup_cli", *arguments],
        env=clean(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        stopper = threading.Timer(PATIENCE, process.kill)
        stopper.start()
        assert process.stdout is not None
        # The exports come when everything is ready; the last one is known by its name.
        printed = [process.stdout.readline().strip()]
        while not printed[-1].startswith("export VMBACKUP_ARM_ENDPOINT") and printed[-1]:
            printed.append(process.stdout.readline().strip())
        try:
            yield Simulation(process, json.loads(file.read_text()), printed)
        finally:
            stopper.cancel()
            process.kill()


def test_the_ready_file_has_all_that_a_client_needs(simulation: Simulation) -> None:
    ready = simulation.ready

    assert set(ready) >= {
        "arm_endpoint",
        "ca_file",
        "ca_bundle",
        "identity_endpoint",
        "identity_header",
        "tenant",
        "subscriptions",
        "env",
    }
    assert Path(ready["ca_file"]).exists()
    assert Path(ready["ca_bundle"]).exists()
    assert len(ready["subscriptions"]) == 2


def test_the_same_variables_are_printed_to_paste(simulation: Simulation) -> None:
    exports = [f"export {name}={json.dumps(v)}" for name, v in simulation.ready["env"].items()]

    assert simulation.printed == exports


def test_commands_over_https_see_every_vm_and_judge_it_alike(simulation: Simulation) -> None:
    planned = simulation.vmbackup("plan", "--json")
    found = json.loads(planned.stdout)
    one = next(verdict for verdict in found["verdicts"] if verdict["differs"])
    explained = simulation.vmbackup("explain", one["vm"], "--json")

    assert planned.returncode == 2, planned.stderr
    assert planned.stderr == ""
    assert found["vms"] == len(found["verdicts"]) == 30
    assert found["protected"] > 0
    assert explained.returncode == 0, explained.stderr
    assert json.loads(explained.stdout)["reason"] == one["reason"]


def test_its_configuration_has_restore_tests_to_plan(simulation: Simulation) -> None:
    planned = simulation.vmbackup("drill", "plan", "--json")

    assert planned.returncode == 0, planned.stderr
    assert json.loads(planned.stdout)["planned"] > 0


def test_it_ends_cleanly_when_told(tmp_path: Path) -> None:
    file = tmp_path / "ready.json"
    with subprocess.Popen(
        [sys.executable, "-m", "vmbackup_cli", "simulate", "--vms", "2", "--ready-file", str(file)],
        env=clean(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        ready = json.loads(file.read_text())
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=PATIENCE)

    assert process.returncode == 0
    assert said.endswith("Ended.\n")
    assert not Path(ready["ca_file"]).exists()
    assert not Path(ready["config"]).exists()
