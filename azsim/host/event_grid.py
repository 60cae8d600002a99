"""The Event Grid trigger's webhook: handshakes, batches, and what Event Grid is told."""

import json
from collections.abc import Callable
from typing import Any

from azsim.host.functions import Function
from azsim.host.protocol import TypedData
from azsim.host.runner import Runner
from azsim.host.worker import Outcome
from azsim.http import Request, Response

PUBLIC_ORIGIN = "eventgrid.azure.net"


class EventGridListener:
    """
    The webhook `/runtime/webhooks/EventGrid?functionName=…` of one function.

    Handshakes run no function and are answered at once; a notification is answered when its
    events' invocations are through: 202, or 500 if one failed, and Event Grid sends all again.
    Source: the Event Grid extension (HttpRequestProcessor, EventGridExtensionConfigProvider).
    """

    def __init__(self, function: Function, runner: Runner) -> None:
        self.function, self._runner = function, runner

    # models host-event-grid-handshake
    def __call__(self, request: Request, answer: Callable[[Response], None]) -> None:
        kind = (request.header("aeg-event-type") or "").lower()
        if request.method == "OPTIONS":
            answer(Response(200, None, {"Webhook-Allowed-Origin": PUBLIC_ORIGIN}))
        elif kind == "subscriptionvalidation":
            answer(_handshake(request))
        elif kind == "notification":
            self._runner.enqueue(lambda: answer(self._deliver(request)))
        elif kind == "unsubscribe":
            answer(Response(202))
        else:
            answer(Response(400))

    # models host-event-grid-batch
    def _deliver(self, request: Request) -> Response:
        try:
            events = json.loads(request.body)
        except ValueError as error:
            return Response(500, f"The request content is not JSON: {error}")
        if isinstance(events, dict):
            events = [events]
        if not isinstance(events, list):
            return Response(500, "The request content should be a JSON object or array.")
        outcomes = [self._invoke(event) for event in events]
        failed = next((o for o in outcomes if not o.succeeded), None)
        if failed is None:
            return Response(202)
        return Response(500, failed.error)

    # models host-event-conversion
    def _invoke(self, event: Any) -> Outcome:
        inputs = {self.function.trigger["name"]: TypedData(json=json.dumps(event))}
        return self._runner.invoke(self.function, inputs)


def _handshake(request: Request) -> Response:
    events = json.loads(request.body)
    first = events[0] if isinstance(events, list) else events
    content = first["data"]
    if isinstance(content, str):  # Doubly encoded in the CloudEvents form.
        content = json.loads(content)
    return Response(200, {"validationResponse": content["validationCode"]})
