"""The one HTTP request of the command line: sent once, to one address."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from vmbackup_cli.web import Answer, fetch
from vmbackup_core.domain.errors import Retryable


class Door(BaseHTTPRequestHandler):
    """Answers by the path, and remembers who came."""

    came: list[tuple[str, str, str]]

    def do_POST(self) -> None:
        self.came.append((self.command, self.path, self.headers.get("x-functions-key", "")))
        length = int(self.headers.get("content-length", 0))
        body = self.rfile.read(length)
        status = int(self.path.strip("/"))
        self.send_response(status)
        self.send_header("location", "/200")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        self.do_POST()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def door() -> Iterator[HTTPServer]:
    Door.came = []
    with HTTPServer(("127.0.0.1", 0), Door) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def url(server: HTTPServer, path: str) -> str:
    return f"http://127.0.0.1:{server.server_port}/{path}"


@pytest.mark.parametrize("status", [202, 302, 401, 500])
def test_every_answer_is_an_answer_and_no_redirect_is_followed(
    door: HTTPServer, status: int
) -> None:
    answer = fetch("POST", url(door, str(status)), {"x-functions-key": "k"}, b"{}")

    assert answer == Answer(status, b"{}")
    assert Door.came == [("POST", f"/{status}", "k")]


def test_a_question_without_a_body_is_sent_as_it_is(door: HTTPServer) -> None:
    assert fetch("GET", url(door, "200"), {}) == Answer(200, b"")
    assert Door.came == [("GET", "/200", "")]


def test_where_nobody_answers_it_may_be_tried_again(door: HTTPServer) -> None:
    door.server_close()

    with pytest.raises(Retryable) as raised:
        fetch("GET", "http://127.0.0.1:9/", {})

    assert raised.value.maybe_done
