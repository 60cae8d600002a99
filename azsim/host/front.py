"""
The host's front door: which URL is whose, who may call it, and who still waits for an answer.

The same doors serve direct calls (a test, the simulated Event Grid) and the loopback listener.
"""

import asyncio
from collections.abc import Callable, Sequence
from itertools import count

from azsim.host.durable.rpc import RPC_PATH, WEBHOOK_PATH, DurableApi
from azsim.host.event_grid import EventGridListener
from azsim.host.functions import Function
from azsim.host.http_functions import HttpRoute
from azsim.host.runner import Runner
from azsim.http import Request, Response

EVENT_GRID_PATH = "/runtime/webhooks/eventgrid"

Answer = Callable[[Response], None]


class Front:
    """
    Takes requests, answers what needs no function code, queues the rest with the runner.

    `function_key` opens functions and webhooks, `master_key` also admin-level functions.
    """

    def __init__(
        self,
        functions: Sequence[Function],
        prefix: str,
        api: DurableApi,
        runner: Runner,
        keys: tuple[str, str],
    ) -> None:
        self._api, self._runner = api, runner
        self.function_key, self.master_key = keys
        self._routes = [HttpRoute.of(f, prefix) for f in functions if f.kind == "httpTrigger"]
        self._webhooks = {
            f.name.lower(): EventGridListener(f, runner)
            for f in functions
            if f.kind == "eventGridTrigger"
        }
        self._tickets = count()
        self._owed: dict[int, Answer] = {}
        self._closed = False

    # models host-dies-502
    def close(self) -> None:
        """Tell those who wait that the host is gone (502, guessed), now and from now on."""
        self._closed = True
        for answer in list(self._owed.values()):
            answer(Response(502))

    def webhook(self, function_name: str, request: Request, answer: Answer) -> None:
        """Take a call of an Event Grid function's webhook."""
        listener = self._webhooks.get(function_name.lower())
        if self._closed:
            answer(Response(502))
        # models host-event-grid-unknown
        elif listener is None:
            answer(Response(404, f"cannot find function: '{function_name}'"))
        else:
            listener(request, self._owing(answer))

    def call(self, request: Request, answer: Answer) -> None:
        """Take a call of an HTTP function."""
        for route in self._routes:
            if (params := route.match(request)) is not None:
                break
        else:
            answer(Response(404))
            return
        if not self._may_call(route, request):
            answer(Response(401))
            return
        owed = self._owing(answer)
        self._runner.enqueue(lambda: owed(route.run(request, params, self._runner)))

    async def answer(self, request: Request) -> Response:
        """Answer a request that came over the loopback; the Durable API's at once."""
        path = f"{request.path}/"
        if path.startswith(RPC_PATH):
            return self._api.answer(request)
        if path.startswith("/runtime/") and _key(request) not in (
            self.function_key,
            self.master_key,
        ):
            return Response(401)
        if path.startswith(WEBHOOK_PATH):
            return self._api.answer(request)
        answered: asyncio.Future[Response] = asyncio.get_running_loop().create_future()

        def answer(response: Response) -> None:
            if not answered.done():
                answered.set_result(response)

        if request.path.lower() == EVENT_GRID_PATH:
            self.webhook(request.query.get("functionname", ""), request, answer)
        else:
            self.call(request, answer)
        return await answered

    # models http-keys
    def _may_call(self, route: HttpRoute, request: Request) -> bool:
        keys = {"anonymous": None, "function": (self.function_key, self.master_key)}
        wanted = keys.get(route.level, (self.master_key,))
        return wanted is None or _key(request) in wanted

    def _owing(self, answer: Answer) -> Answer:
        """Note that `answer` is owed, so that whoever waits learns of a crash."""
        ticket = next(self._tickets)

        def once(response: Response) -> None:
            if self._owed.pop(ticket, None) is not None:
                answer(response)

        self._owed[ticket] = once
        return once


def _key(request: Request) -> str | None:
    return request.header("x-functions-key") or request.query.get("code")
