"""
Stand-ins for the messages that the Functions host and its Python worker exchange.

The worker library imports no protobuf: it builds whatever the `protos` namespace offers and reads
plain attributes, so values with the right names are enough (source: azure_functions_runtime 1.3.0).
"""

from types import SimpleNamespace
from typing import Any, ClassVar


class Message:
    """
    Any message of the protocol: fields that were set are there, the others read as None.

    A capitalised name that was not set is an error, as it is for a protobuf message: the library
    tells a value from the namespace by that.
    """

    oneof: ClassVar[str] = ""

    def __init__(self, **fields: Any) -> None:
        self.__dict__.update(fields)

    def __getattr__(self, name: str) -> Any:
        if name[:1].isupper() or name.startswith("__"):
            raise AttributeError(name)
        return None

    def WhichOneof(self, group: str) -> str | None:  # noqa: N802 - protobuf's own name.
        """Return the one field that is set, None when none is."""
        if group != self.oneof:
            raise ValueError(f"{type(self).__name__} has no oneof {group}")
        return next((name for name, value in self.__dict__.items() if value is not None), None)


class TypedData(Message):
    oneof = "data"


class ParameterBinding(Message):
    oneof = "rpc_data"

    def WhichOneof(self, group: str) -> str | None:  # noqa: N802 - protobuf's own name.
        return "data" if group == self.oneof and self.data is not None else None


class BindingInfo(Message):
    out: ClassVar[int] = 1
    inout: ClassVar[int] = 2
    undefined: ClassVar[int] = 0


class StatusResult(Message):
    Failure: ClassVar[int] = 0
    Success: ClassVar[int] = 1


class SameSite:
    Lax: ClassVar[int] = 1
    Strict: ClassVar[int] = 2
    ExplicitNone: ClassVar[int] = 3


setattr(SameSite, "None", 0)  # A keyword, so it cannot be written as an attribute.


class RpcHttpCookie(Message):
    SameSite: ClassVar[type[SameSite]] = SameSite


PLAIN = [
    "FunctionLoadResponse",
    "FunctionMetadataResponse",
    "InvocationResponse",
    "NullableBool",
    "NullableDouble",
    "NullableString",
    "NullableTimestamp",
    "RpcException",
    "RpcFunctionMetadata",
    "RpcHttp",
    "RpcRetryOptions",
    "Timestamp",
    "WorkerInitResponse",
    "WorkerMetadata",
]

PROTOS = SimpleNamespace(
    **{name: type(name, (Message,), {}) for name in PLAIN},
    TypedData=TypedData,
    ParameterBinding=ParameterBinding,
    BindingInfo=BindingInfo,
    StatusResult=StatusResult,
    RpcHttpCookie=RpcHttpCookie,
)
