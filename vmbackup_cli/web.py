"""One HTTP request to the deployed app; the only way by which a command talks to it."""

import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.client import HTTPException
from typing import IO, Any
from urllib.parse import urlsplit

from vmbackup_core.domain.errors import Retryable

LONGEST = 60  # Seconds that an answer may take: an app that slept has to wake up first.


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, whatever its status."""

    status: int
    body: bytes


type Fetch = Callable[[str, str, Mapping[str, str], bytes], Answer]


def fetch(method: str, url: str, headers: Mapping[str, str], body: bytes = b"") -> Answer:
    """
    Send one request, once, and return the answer.

    Follows no redirect: the key in the headers is for this address. Raises Retryable where nothing
    answers; what was asked may have been done all the same.
    """
    request = urllib.request.Request(url, body or None, dict(headers), method=method)
    try:
        with _OPENER.open(request, timeout=LONGEST) as response:
            return Answer(response.status, response.read())
    except urllib.error.HTTPError as error:
        return Answer(error.code, error.read())
    except (OSError, HTTPException) as error:
        where = urlsplit(url).netloc
        raise Retryable(f"{where} does not answer: {error}", maybe_done=True) from error


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: Any,
        newurl: str,
    ) -> None:
        """Leave the redirect as the answer that it is."""


_OPENER = urllib.request.build_opener(_NoRedirect())
