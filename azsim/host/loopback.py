"""
The host's ears on 127.0.0.1: turns what arrives into `Request`s, answers with `Response`s.

It lives on the worker's event loop, so that a function which calls the Durable RPC endpoint is
answered while it runs, in one thread, in a fixed order.
"""

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import web

from azsim.http import Request, Response

Answer = Callable[[Request], Awaitable[Response]]


class Loopback:
    """A listening server; `url` is without a slash at its end. Close it on the same loop."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._runner: web.ServerRunner | None = None
        self.url = ""

    async def open(self, port: int = 0) -> None:
        server = web.Server(self._serve, access_log=None)
        self._runner = web.ServerRunner(server, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port)
        await site.start()
        host, bound = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{bound}"

    async def close(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
        await asyncio.sleep(0)  # Lets the transports close before their loop does.

    async def _serve(self, received: web.BaseRequest) -> web.StreamResponse:
        request = Request(
            method=received.method,
            url=f"http://{received.host}{received.raw_path}",
            headers={name.lower(): value for name, value in received.headers.items()},
            body=await received.read(),
            client="host",
        )
        response = await self._answer(request)
        headers, body = response.encoded()
        headers.pop("Content-Length", None)
        return web.Response(status=response.status, headers=headers, body=body)
