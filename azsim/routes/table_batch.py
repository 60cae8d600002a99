"""Entity group transactions on the wire: one change set in a multipart/mixed, in and out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesParser
from http import HTTPStatus

from azsim.http import ArmError, Request, Response


@dataclass(frozen=True, slots=True)
class Part:
    """One change of the set; on the way out with its answer."""

    request: Request
    response: Response | None = None


def read_batch(request: Request) -> list[Part]:
    """Return the changes of the one change set that a transaction is."""
    head = f"Content-Type: {request.header('content-type')}\r\n\r\n".encode()
    outer = BytesParser().parsebytes(head + request.body)
    sets = _parts(outer)
    if len(sets) != 1 or not sets[0].is_multipart():
        raise ArmError(400, "InvalidInput", "One of the request inputs is not valid.")
    return [Part(_request_of(part)) for part in _parts(sets[0])]


def answer_batch(new_id: Callable[[], str], parts: Sequence[Part]) -> Response:
    """Return 202 with one answer for each change, or the single answer that says what failed."""
    batch, changes = f"batchresponse_{new_id()}", f"changesetresponse_{new_id()}"
    lines = [
        f"--{batch}",
        f"Content-Type: multipart/mixed; boundary={changes}",
        "",
    ]
    for part in parts:
        if part.response is None:
            raise ValueError("a change without an answer")
        lines += [
            f"--{changes}",
            "Content-Type: application/http",
            "Content-Transfer-Encoding: binary",
            "",
            *_answer_lines(part.response),
        ]
    lines += [f"--{changes}--", f"--{batch}--", ""]
    return Response(
        202,
        "\r\n".join(lines).encode(),
        {"Content-Type": f"multipart/mixed; boundary={batch}"},
    )


def _parts(message: Message) -> list[Message]:
    payload = message.get_payload()
    return (
        [part for part in payload if isinstance(part, Message)] if isinstance(payload, list) else []
    )


def _request_of(part: Message) -> Request:
    raw = part.get_payload(decode=True)
    if not isinstance(raw, bytes):
        raise ArmError(400, "InvalidInput", "One of the request inputs is not valid.")
    head, _, body = raw.replace(b"\r\n", b"\n").partition(b"\n\n")
    first, *header_lines = head.decode().strip().split("\n")
    method, url, *_ = first.split(" ")
    pairs = (line.split(":", 1) for line in header_lines)
    headers = {name.strip().lower(): value.strip() for name, value in pairs}
    return Request(method, url, headers, body.strip())


def _answer_lines(response: Response) -> list[str]:
    headers, payload = response.encoded()
    return [
        f"HTTP/1.1 {response.status} {HTTPStatus(response.status).phrase}",
        *(f"{name}: {value}" for name, value in headers.items()),
        "",
        payload.decode(),
    ]
