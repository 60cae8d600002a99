"""The deployed app, as far as restore tests are asked of it: begin one, and tell how one stands."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from vmbackup_cli.desk import Desk, Misused
from vmbackup_cli.web import Answer, Fetch
from vmbackup_core.adapters.credentials import SignedIn
from vmbackup_core.app.drill.asking import Faults
from vmbackup_core.bootstrap import App
from vmbackup_core.domain.errors import Rejected, Retryable
from vmbackup_core.settings import APP_KEY
from vmbackup_core.settings.deployment import parse_url
from vmbackup_core.settings.faults import Unfit

Json = dict[str, Any]
_LOOK_FIRST = "it may have begun all the same: see `vmbackup drill list` before asking again"
_NOT_REACHED = (
    "is the app running, and is that its address (VMBACKUP_APP_URL, --app)? Where it cannot be"
    " reached, --local drives the test from here"
)


@dataclass(frozen=True, slots=True)
class DeployedApp:
    """
    A deployed app at `url`, called with what opens it, which is never shown.

    That is a function key, or where Entra stands in front of the app (`token` is there), a token.
    """

    url: str
    key: str
    fetch: Fetch
    token: Callable[[], str] | None = None

    def __repr__(self) -> str:
        return f"DeployedApp({self.url})"

    def begin(self, wish: Json) -> str:
        """
        Ask for a restore test and return its run; `wish` is what app/drill/asking.py reads.

        Raises Rejected with every fault where the app will not do it, Misused where the wish is
        wrong. Asked twice is two tests, so
        where the answer is lost the error says to look first.
        """
        try:
            answer = self._call("POST", "drills", wish)
        except Retryable as error:
            words = f"{error}; {_LOOK_FIRST}. {_NOT_REACHED}"
            raise Retryable(words, maybe_done=True) from error
        if answer.status >= 500:
            raise Retryable(f"{self._strange(answer)}; {_LOOK_FIRST}", maybe_done=True)
        if answer.status == 202:
            return str(_read(answer)["run"])
        if answer.status == 400:
            faults = Faults(tuple(_faults(answer)))
            raise (Misused if faults.wrong_call else Rejected)("; ".join(faults.faults))
        if answer.status == 409:
            raise Misused(f"{self.url}: {'; '.join(_faults(answer))}")
        raise self._strange(answer)

    def status(self, run: str) -> Json | None:
        """Return how a restore test stands, None for one that the app does not know (yet)."""
        answer = self._call("GET", f"drills/{run}")
        if answer.status == 404:
            return None
        if answer.status == 200:
            return _read(answer)
        raise self._strange(answer)

    def _call(self, method: str, path: str, body: Json | None = None) -> Answer:
        headers = {"content-type": "application/json"}
        if self.key:
            headers["x-functions-key"] = self.key
        if self.token is not None:
            headers["authorization"] = f"Bearer {self.token()}"
        raw = b"" if body is None else json.dumps(body).encode()
        return self.fetch(method, f"{self.url}/api/{path}", headers, raw)

    def _strange(self, answer: Answer) -> Exception:
        if answer.status in (401, 403) and self.token is not None:
            return Misused(
                f"{self.url} refuses you ({answer.status}): are you signed in, and among those who"
                " may ask for restore tests? (docs/deploy.md)"
            )
        if answer.status in (401, 403):
            return Misused(
                f"{self.url} refuses the key ({answer.status}): set {APP_KEY} to a function key"
                " of the app (in the portal: App keys)"
            )
        if answer.status in (404, 405):
            return Misused(f"{self.url} has no restore tests: is it the address of vmbackup?")
        return Retryable(f"{self.url} answers {answer.status}", status=answer.status)


def find_app(desk: Desk, app: App, given: str) -> DeployedApp | None:
    """
    Return the app at the address that was given, else at the deployment's; None where is none.

    Whoever is signed in here asks it, where the deployment says for whom tokens are. Else its key
    is in the environment, or somebody is there to type it in.
    """
    deployment = app.settings.deployment
    if not (address := given or deployment.app_url):
        return None
    try:
        address = parse_url(address)
    except Unfit as unfit:
        raise Misused(f"--app: {unfit.message}; {unfit.suggestion}") from None
    key = desk.environment.get(APP_KEY, "")
    if audience := deployment.app_audience:
        credential = desk.credential(deployment.endpoints.authority)
        signed_in = SignedIn(f"{audience}/.default", credential, app.clock)
        return DeployedApp(address, key, desk.fetch, signed_in.token)
    if not key and desk.interactive:
        key = desk.secret(f"Function key of {address}: ").strip()
    if not key:
        raise Misused(f"the key of {address} is missing: set {APP_KEY}")
    return DeployedApp(address, key, desk.fetch)


def _read(answer: Answer) -> Json:
    try:
        found = json.loads(answer.body)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Retryable(f"the app's answer ({answer.status}) is not JSON")
    return found


def _faults(answer: Answer) -> list[str]:
    try:
        return [str(fault) for fault in _read(answer)["faults"]]
    except (Retryable, KeyError):
        return [f"it answers {answer.status}"]
