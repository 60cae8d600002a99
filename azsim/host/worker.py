"""
The Python worker in this process: Microsoft's own library loads, indexes and invokes the app.

This module knows the worker's protocol and nothing of triggers. The library and the Durable SDK
keep module globals, so one worker at a time: each opens with a fresh import of function_app and
leaves nothing behind when closed.
"""

import asyncio
import os
import sys
import warnings
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from azsim.host.faults import ProcessKilled
from azsim.host.functions import Function, read_functions
from azsim.host.protocol import PROTOS, Message, ParameterBinding, StatusResult, TypedData

APP_MODULE = "function_app"
STRICT_TYPING = "AZURE_FUNCTIONS_DURABLE_STRICT_TYPING"  # Off, each process warns once.

# What the SDKs warn about in production too, where nobody turns warnings into errors.
# models host-sdk-warnings
SDK_WARNINGS = (
    "Potential duplicate Task completion",  # An event that was raised before it was waited for.
    "enable_cleanup_closed ignored",  # The Durable client's session asks aiohttp for an old cure.
)


class LoadError(Exception):
    """The worker could not index the app: what the portal shows as "function host is down"."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one invocation; `killed` when the process died in it."""

    value: TypedData | None = None
    error: str | None = None
    stack: str = ""
    killed: bool = False

    @property
    def succeeded(self) -> bool:
        return self.error is None and not self.killed

    @property
    def report(self) -> str:
        """The text of the exception that the host makes of a worker's failure."""
        return f"Result: Failure\nException: {self.error}\nStack: {self.stack}"


class Worker:
    """
    One worker process: `functions` after opening, `invoke` for a call, `close` at the end.

    `settings` are the app settings; they are environment variables while the worker lives.
    """

    def __init__(self, app_dir: Path, settings: Mapping[str, str]) -> None:
        if not (app_dir / f"{APP_MODULE}.py").is_file():
            raise LoadError(f"there is no {APP_MODULE}.py in {app_dir}")
        self._app_dir = app_dir.resolve()
        self._outside = self._take_over({STRICT_TYPING: "1", **settings})
        self.loop = asyncio.new_event_loop()
        try:
            self.functions = self._open()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _take_over(self, settings: Mapping[str, str]) -> dict[str, str | None]:
        outside = {name: os.environ.get(name) for name in settings}  # noqa: TID251 - app settings.
        os.environ.update(settings)  # noqa: TID251 - App settings are the app's environment.
        sys.path.insert(0, str(self._app_dir))
        sys.modules.pop(APP_MODULE, None)
        return outside

    # models host-indexing
    def _open(self) -> tuple[Function, ...]:
        import azure_functions_runtime
        from azure_functions_runtime import handle_event

        self._library = handle_event
        azure_functions_runtime.start_threadpool_executor()
        init = Message(
            worker_init_request=Message(capabilities={}, function_app_directory=str(self._app_dir))
        )
        opened = self.run(handle_event.worker_init_request(_streamed(init)))
        if opened.result.status != StatusResult.Success:
            failure = opened.result.exception
            raise LoadError(f"{failure.message}\n{failure.stack_trace}")
        answer = self.run(handle_event.functions_metadata_request(_streamed(Message())))
        functions = read_functions(answer.function_metadata_results or ())
        for function in functions:
            load = Message(function_load_request=Message(function_id=function.id))
            self.run(handle_event.function_load_request(_streamed(load)))
        return functions

    def run[T](self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the worker's event loop to its end."""
        return self.loop.run_until_complete(work)

    def invoke(
        self,
        function: Function,
        invocation_id: str,
        inputs: Mapping[str, TypedData],
        *,
        attempt: int = 0,
        most_attempts: int = 0,
        metadata: Mapping[str, TypedData] | None = None,
    ) -> Outcome:
        """Invoke `function` with the data of its bindings by name; never raises what it raised."""
        request = Message(
            invocation_request=Message(
                invocation_id=invocation_id,
                function_id=function.id,
                input_data=[ParameterBinding(name=n, data=data) for n, data in inputs.items()],
                trigger_metadata=metadata or {},
                trace_context=Message(trace_parent="", trace_state="", attributes={}),
                retry_context=Message(retry_count=attempt, max_retry_count=most_attempts),
            )
        )
        with warnings.catch_warnings():
            for message in SDK_WARNINGS:
                warnings.filterwarnings("ignore", message=message)
            try:
                response = self.run(self._library.invocation_request(_streamed(request)))
            except ProcessKilled:
                return Outcome(killed=True)
        if response.result.status == StatusResult.Success:
            return Outcome(value=response.return_value)
        failure = response.result.exception
        return Outcome(error=failure.message, stack=failure.stack_trace)

    def close(self) -> None:
        """End the process: its threads, its client session, its place in sys.path and environ."""
        import azure_functions_runtime

        client = sys.modules.get("azure.durable_functions.models.utils.http_utils")
        if client is not None:
            self.run(client._close_session())  # The SDK has no shutdown hook; see its comment.
        azure_functions_runtime.stop_threadpool_executor()
        self.run(self.loop.shutdown_asyncgens())
        self.loop.close()
        sys.modules.pop(APP_MODULE, None)
        if str(self._app_dir) in sys.path:
            sys.path.remove(str(self._app_dir))
        for name, value in self._outside.items():
            if value is None:
                os.environ.pop(name, None)  # noqa: TID251 - Gives back what was taken.
            else:
                os.environ[name] = value  # noqa: TID251 - Gives back what was taken.


def _streamed(request: Message) -> Message:
    return Message(request=request, properties={"host": "127.0.0.1", "protos": PROTOS})
