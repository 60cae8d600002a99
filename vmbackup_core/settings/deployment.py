"""
What differs from one deployment to the next, read from environment variables `VMBACKUP_…`.

The only module that reads the environment, and only where it is asked for by name.
"""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from vmbackup_core.domain.telling.routing import address_fault
from vmbackup_core.settings.clouds import CLOUDS, Cloud, CloudEndpoints
from vmbackup_core.settings.faults import Fault, SettingsError, Unfit, did_you_mean
from vmbackup_core.settings.names import parse_guid
from vmbackup_core.settings.ncrontab import parse_ncrontab

PREFIX = "VMBACKUP_"
SOURCE = "environment"
APP_KEY = "VMBACKUP_APP_KEY"
SIGN_IN = "VMBACKUP_SIGN_IN"
MOST_DAYS = 365


@dataclass(frozen=True, slots=True)
class Deployment:
    """
    Where this deployment keeps its state, who it is, and which Azure it talks to.

    Either `state_dir` is set (a local directory) or both `table_url` and `blob_url` are. A client
    id is "" where the one identity that is there will do. `on_azure` says that the platform offers
    a managed identity (it sets IDENTITY_ENDPOINT), `site` is the platform's name of the app, ""
    where there is none. `keep_workflows` is how long those that have ended are kept. `app_url` is
    where the deployed app answers; the key that goes with it (APP_KEY) is a secret, and stays in
    the environment; where Entra stands in front of it, tokens are for `app_audience`.
    `mail_endpoint` and `mail_sender` are "" where no mail can be sent, `log_workspaces` empty where
    no log is read.
    """

    config: str
    cloud: Cloud
    arm_endpoint: str
    state_dir: str
    table_url: str
    blob_url: str
    reader_client_id: str
    protector_client_id: str
    restorer_client_id: str
    sweep_schedule: str
    drill_schedule: str
    janitor_schedule: str
    watch_schedule: str = ""
    digest_schedule: str = ""
    housekeeping_schedule: str = ""
    keep_workflows: timedelta = timedelta(days=30)
    mail_endpoint: str = ""
    mail_sender: str = ""
    log_workspaces: tuple[str, ...] = ()
    app_url: str = ""
    app_audience: str = ""
    on_azure: bool = False
    site: str = ""

    @property
    def endpoints(self) -> CloudEndpoints:
        """Return the cloud's endpoints, for sign-in and for the token's scope."""
        return CLOUDS[self.cloud]


@dataclass(frozen=True, slots=True)
class Variable:
    """One environment variable; `default` is "" where none, and `words` say what it takes."""

    name: str
    words: str
    parse: Callable[[str], str]
    default: str = ""


def system_environment() -> Mapping[str, str]:
    """Return this process's environment; nothing else in the app looks at it."""
    return dict(os.environ)


def asks_for_keys(environment: Mapping[str, str]) -> bool:
    """
    Tell whether callers of HTTP functions need a function key.

    They do, unless the deployment says that Entra stands in front *and* the platform says that its
    authentication is on (WEBSITE_AUTH_ENABLED): with either alone the app would be open to all.
    """
    by_entra = environment.get(SIGN_IN) == "entra"
    return not (by_entra and environment.get("WEBSITE_AUTH_ENABLED", "").lower() == "true")


def read_deployment(environment: Mapping[str, str]) -> Deployment:
    """
    Read all variables; raises SettingsError with every fault at once.

    An empty variable counts as one that is not set. Unknown `VMBACKUP_…` variables are faults.
    """
    given = {name: text for name, text in environment.items() if name.startswith(PREFIX) and text}
    faults = [_unknown(name) for name in given if name not in VARIABLES]
    read = {}
    for name, variable in VARIABLES.items():
        text = given.get(name, variable.default)
        try:
            read[name] = variable.parse(text) if text else ""
        except Unfit as unfit:
            faults.append(Fault(0, name, unfit.message, unfit.suggestion))
    faults.extend(_state_faults(given))
    faults.extend(_mail_faults(given))
    if faults:
        raise SettingsError(SOURCE, faults)
    account, suffix = read["VMBACKUP_STORAGE_ACCOUNT"], CLOUDS[Cloud(read["VMBACKUP_CLOUD"])]
    urls = {
        service: read[f"VMBACKUP_{service.upper()}_URL"]
        or (f"https://{account}.{service}.{suffix.storage_suffix}" if account else "")
        for service in ("table", "blob")
    }
    return Deployment(
        config=read["VMBACKUP_CONFIG"],
        cloud=Cloud(read["VMBACKUP_CLOUD"]),
        arm_endpoint=read["VMBACKUP_ARM_ENDPOINT"] or suffix.arm,
        state_dir=read["VMBACKUP_STATE_DIR"],
        table_url=urls["table"],
        blob_url=urls["blob"],
        reader_client_id=read["VMBACKUP_READER_CLIENT_ID"],
        protector_client_id=read["VMBACKUP_PROTECTOR_CLIENT_ID"],
        restorer_client_id=read["VMBACKUP_RESTORER_CLIENT_ID"],
        sweep_schedule=read["VMBACKUP_SWEEP_SCHEDULE"],
        drill_schedule=read["VMBACKUP_DRILL_SCHEDULE"],
        janitor_schedule=read["VMBACKUP_JANITOR_SCHEDULE"],
        watch_schedule=read["VMBACKUP_WATCH_SCHEDULE"],
        digest_schedule=read["VMBACKUP_DIGEST_SCHEDULE"],
        housekeeping_schedule=read["VMBACKUP_HOUSEKEEPING_SCHEDULE"],
        keep_workflows=timedelta(days=int(read["VMBACKUP_KEEP_WORKFLOWS"])),
        mail_endpoint=read["VMBACKUP_MAIL_ENDPOINT"],
        mail_sender=read["VMBACKUP_MAIL_SENDER"],
        log_workspaces=tuple(filter(None, read["VMBACKUP_LOG_WORKSPACES"].split(","))),
        app_url=read["VMBACKUP_APP_URL"],
        app_audience=read["VMBACKUP_APP_AUDIENCE"],
        on_azure=bool(environment.get("IDENTITY_ENDPOINT")),
        site=environment.get("WEBSITE_SITE_NAME", "").lower(),
    )


def _unknown(name: str) -> Fault:
    return Fault(0, name, "unknown variable", did_you_mean(name, VARIABLES))


def _state_faults(given: Mapping[str, str]) -> list[Fault]:
    """Note where state has no place, or two."""
    account = "VMBACKUP_STORAGE_ACCOUNT" in given
    urls = [name for name in ("VMBACKUP_TABLE_URL", "VMBACKUP_BLOB_URL") if name in given]
    local = "VMBACKUP_STATE_DIR" in given
    if local and (account or urls):
        beside = "VMBACKUP_STORAGE_ACCOUNT" if account else urls[0]
        return [
            Fault(0, "VMBACKUP_STATE_DIR", f"stands beside {beside}", "state has one place: choose")
        ]
    if not local and not account and len(urls) < 2:
        return [
            Fault(
                0,
                "VMBACKUP_STORAGE_ACCOUNT",
                "missing: there is no place for state",
                "set it, or VMBACKUP_STATE_DIR for a local directory,"
                " or both VMBACKUP_TABLE_URL and VMBACKUP_BLOB_URL",
            )
        ]
    return []


def _mail_faults(given: Mapping[str, str]) -> list[Fault]:
    """Note where a mail service is named without a sender, or the other way round."""
    pair = ("VMBACKUP_MAIL_ENDPOINT", "VMBACKUP_MAIL_SENDER")
    missing = [name for name in pair if name not in given]
    if len(missing) != 1:
        return []
    (other,) = set(pair) - set(missing)
    return [Fault(0, missing[0], f"missing beside {other}", "mails need both")]


def _parse_sender(text: str) -> str:
    if why := address_fault(text):
        raise Unfit(f'"{text}" {why}', "one that the mail service may send from")
    return text


def _parse_workspaces(text: str) -> str:
    """Check workspace ids, as the portal shows them (not ARM ids); several with commas between."""
    return ",".join(parse_guid(part.strip()) for part in text.split(",") if part.strip())


def _parse_days(text: str) -> str:
    if not (text.isdecimal() and 1 <= int(text) <= MOST_DAYS):
        raise Unfit(f'"{text}" is no number of days', f"from 1 to {MOST_DAYS}")
    return text


def _parse_any(text: str) -> str:
    return text


def _parse_sign_in(text: str) -> str:
    if text not in ("key", "entra"):
        raise Unfit(f'"{text}" is no way to sign in', '"key" or "entra"')
    return text


def _parse_cloud(text: str) -> str:
    if text not in set(Cloud):
        raise Unfit(f'"{text}" is no cloud', did_you_mean(text, Cloud))
    return text


def _parse_account(text: str) -> str:
    if re.fullmatch(r"[a-z0-9]{3,24}", text) is None:
        raise Unfit(f'"{text}" is no storage account', "3 to 24 lower-case letters and digits")
    return text


def parse_url(text: str) -> str:
    """Check a service's address; tokens travel over TLS only, except on this machine."""
    parts = urlsplit(text)
    local = parts.hostname in ("localhost", "127.0.0.1")
    if not parts.hostname or parts.scheme not in ("https", "http"):
        raise Unfit(f'"{text}" is no address', "it begins with https://")
    if parts.scheme == "http" and not local:
        raise Unfit(f'"{text}" is not encrypted', "use https://")
    return text.rstrip("/")


_ACCOUNT = "a storage account's name"
_URL = "an address that begins with https://"
_SCHEDULE = "six fields of NCRONTAB, seconds first"
_ID = "a managed identity's client id"

VARIABLES = {
    variable.name: variable
    for variable in (
        Variable(
            "VMBACKUP_CONFIG", "a path, or the address of a blob", _parse_any, "vmbackup.toml"
        ),
        Variable("VMBACKUP_STORAGE_ACCOUNT", _ACCOUNT, _parse_account),
        Variable("VMBACKUP_TABLE_URL", _URL, parse_url),
        Variable("VMBACKUP_BLOB_URL", _URL, parse_url),
        Variable("VMBACKUP_STATE_DIR", "a local directory", _parse_any),
        Variable("VMBACKUP_READER_CLIENT_ID", _ID, parse_guid),
        Variable("VMBACKUP_PROTECTOR_CLIENT_ID", _ID, parse_guid),
        Variable("VMBACKUP_RESTORER_CLIENT_ID", _ID, parse_guid),
        Variable("VMBACKUP_CLOUD", '"public", "usgov" or "china"', _parse_cloud, "public"),
        Variable("VMBACKUP_ARM_ENDPOINT", _URL, parse_url),
        Variable("VMBACKUP_APP_URL", _URL, parse_url),
        Variable("VMBACKUP_APP_AUDIENCE", "whom tokens for the app are for", _parse_any),
        Variable(APP_KEY, "a key of the function app", _parse_any),
        Variable("VMBACKUP_SWEEP_SCHEDULE", _SCHEDULE, parse_ncrontab, "0 */30 * * * *"),
        Variable("VMBACKUP_DRILL_SCHEDULE", _SCHEDULE, parse_ncrontab, "0 0 1 * * *"),
        Variable("VMBACKUP_JANITOR_SCHEDULE", _SCHEDULE, parse_ncrontab, "0 */15 * * * *"),
        Variable("VMBACKUP_WATCH_SCHEDULE", _SCHEDULE, parse_ncrontab, "0 */10 * * * *"),
        Variable("VMBACKUP_DIGEST_SCHEDULE", _SCHEDULE, parse_ncrontab, "30 */15 * * * *"),
        Variable(SIGN_IN, '"key" or "entra"', _parse_sign_in, "key"),
        Variable("VMBACKUP_HOUSEKEEPING_SCHEDULE", _SCHEDULE, parse_ncrontab, "0 20 3 * * *"),
        Variable("VMBACKUP_KEEP_WORKFLOWS", "days, from 1 to 365", _parse_days, "30"),
        Variable("VMBACKUP_MAIL_ENDPOINT", _URL, parse_url),
        Variable("VMBACKUP_MAIL_SENDER", "an address of the mail service", _parse_sender),
        Variable("VMBACKUP_LOG_WORKSPACES", "GUIDs of workspaces", _parse_workspaces),
    )
}
