"""Who calls HTTP functions: by a key, or signed in; never nobody."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError

from tests.clocks import HandClock
from vmbackup_core.adapters.credentials import SignedIn
from vmbackup_core.domain.errors import Denied
from vmbackup_core.settings import SettingsError, asks_for_keys, read_deployment

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 3, 1, tzinfo=UTC)
BEHIND_ENTRA = {"VMBACKUP_SIGN_IN": "entra", "WEBSITE_AUTH_ENABLED": "True"}
LEVELS = """
import json, function_app
print(json.dumps({
    one.get_function_name(): one.get_trigger().get_dict_repr()["authLevel"].name
    for one in function_app.app.get_functions()
    if "authLevel" in one.get_trigger().get_dict_repr()
}))
"""


class Hourly:
    """A credential whose tokens hold for an hour; counts how often it is asked."""

    def __init__(self, clock: HandClock) -> None:
        self.clock = clock
        self.asked: list[str] = []

    def get_token(self, *scopes: str) -> AccessToken:
        self.asked.extend(scopes)
        until = self.clock.now() + timedelta(hours=1)
        return AccessToken(f"token-{len(self.asked)}", int(until.timestamp()))


class Nobody:
    def get_token(self, *scopes: str) -> AccessToken:
        raise ClientAuthenticationError("run az login")


@pytest.mark.parametrize(
    ("environment", "keys"),
    [
        ({}, True),
        ({"VMBACKUP_SIGN_IN": "key", "WEBSITE_AUTH_ENABLED": "True"}, True),
        ({"WEBSITE_AUTH_ENABLED": "True"}, True),
        ({"VMBACKUP_SIGN_IN": "entra"}, True),
        ({"VMBACKUP_SIGN_IN": "entra", "WEBSITE_AUTH_ENABLED": "False"}, True),
        (BEHIND_ENTRA, False),
    ],
)
def test_keys_are_off_only_where_settings_and_platform_both_say_so(
    environment: dict[str, str], keys: bool
) -> None:
    assert asks_for_keys(environment) is keys


@pytest.mark.parametrize(("environment", "level"), [({}, "FUNCTION"), (BEHIND_ENTRA, "ANONYMOUS")])
def test_the_host_is_told_when_it_lists_functions(environment: dict[str, str], level: str) -> None:
    listed = subprocess.run(
        [sys.executable, "-c", LEVELS],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )

    assert json.loads(listed.stdout) == {"drill_run": level, "drill_status": level}


def test_another_way_to_sign_in_is_a_fault() -> None:
    with pytest.raises(SettingsError, match="no way to sign in"):
        read_deployment({"VMBACKUP_STATE_DIR": "state", "VMBACKUP_SIGN_IN": "password"})


def test_a_token_is_kept_until_it_nears_its_end() -> None:
    clock = HandClock(NOW)
    credential = Hourly(clock)
    signed_in = SignedIn("api://app/.default", credential, clock)

    first = [signed_in.token(), signed_in.token()]
    clock.pause(timedelta(minutes=56))

    assert first == ["token-1", "token-1"]
    assert signed_in.token() == "token-2"
    assert credential.asked == ["api://app/.default", "api://app/.default"]


def test_a_token_is_never_shown() -> None:
    clock = HandClock(NOW)
    signed_in = SignedIn("api://app/.default", Hourly(clock), clock)

    assert signed_in.token() not in repr(signed_in)


def test_where_nobody_is_signed_in_it_says_so() -> None:
    with pytest.raises(Denied, match="run az login"):
        SignedIn("api://app/.default", Nobody(), HandClock(NOW)).token()
