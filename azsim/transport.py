"""An azure-core transport that answers from a `World` in this process; sleeping moves its clock."""

from datetime import timedelta
from types import TracebackType
from typing import Any, Self

from azure.core.exceptions import ServiceRequestError, ServiceResponseError
from azure.core.pipeline.transport import HttpTransport
from azure.core.rest import HttpRequest
from azure.core.rest._http_response_impl import HttpResponseImpl

from azsim.http import ConnectionLost, Request
from azsim.world import World


class _Raw:
    """The least that HttpResponseImpl asks of an internal response."""

    def __init__(self, payload: bytes) -> None:
        self.payload = payload

    def close(self) -> None: ...


class _Stream:
    def __init__(self, _pipeline: object, response: "_SimResponse", **_kwargs: object) -> None:
        self._chunks = iter([response.payload] if response.payload else [])

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        return next(self._chunks)


class _SimResponse(HttpResponseImpl):  # type: ignore[misc]
    @property
    def payload(self) -> bytes:
        return self._internal_response.payload  # type: ignore[no-any-return]

    def body(self) -> bytes:
        return self.payload


class SimTransport(HttpTransport[HttpRequest, Any]):
    """
    Hand it to any azure-core based client as `transport=`.

    No socket, no wall clock: `sleep` advances the world's clock, so retries and pollers of the SDKs
    work unchanged in virtual time. `client` names the caller in the world's call counts.
    """

    def __init__(self, world: World, *, client: str = "sdk") -> None:
        self._world, self._client = world, client

    def open(self) -> None: ...

    def close(self) -> None: ...

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None: ...

    def sleep(self, duration: float) -> None:
        self._world.clock.advance(timedelta(seconds=duration))

    def send(self, request: HttpRequest, **kwargs: Any) -> Any:
        asked = Request(
            method=request.method,
            url=request.url,
            headers={name.lower(): str(value) for name, value in request.headers.items()},
            body=_bytes_of(request),
            client=self._client,
        )
        try:
            answer = self._world.handle(asked)
        except ConnectionLost as lost:
            broken = ServiceResponseError if lost.after_effect else ServiceRequestError
            raise broken(str(lost)) from lost
        headers, payload = answer.encoded()
        response = _SimResponse(
            request=request,
            internal_response=_Raw(payload),
            status_code=answer.status,
            reason=str(answer.status),
            content_type=next((v for k, v in headers.items() if k.lower() == "content-type"), None),
            headers=_Headers(headers),
            stream_download_generator=_Stream,
            block_size=4096,
        )
        response._content = payload  # what read() would have filled
        return response


def _bytes_of(request: HttpRequest) -> bytes:
    body = getattr(request, "_data", None) or getattr(request, "data", None)
    content = body if body is not None else getattr(request, "content", None)
    match content:
        case None:
            return b""
        case bytes():
            return content
        case str():
            return content.encode()
        case _ if hasattr(content, "read"):
            return content.read()  # type: ignore[no-any-return]
    raise TypeError(f"unexpected request body {type(content).__name__}")


class _Headers(dict[str, str]):
    """Header names without case, as clients expect."""

    def __init__(self, headers: dict[str, str]) -> None:
        super().__init__({name.lower(): value for name, value in headers.items()})

    def __getitem__(self, name: str) -> str:
        return super().__getitem__(name.lower())

    def get(self, name: str, default: Any = None) -> Any:
        return super().get(name.lower(), default)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and super().__contains__(name.lower())
