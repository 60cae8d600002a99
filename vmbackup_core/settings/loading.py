"""Reading `vmbackup.toml` and the environment into one frozen value, or into a list of faults."""

import hashlib
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from vmbackup_core.domain.drill.rules import DrillRules
from vmbackup_core.domain.policies import PolicySpec
from vmbackup_core.domain.rules import Rules
from vmbackup_core.domain.telling.mail_rules import MailRules
from vmbackup_core.domain.vaults import VaultNaming
from vmbackup_core.settings.building import NOT_IN_SCOPE, Limits, Protect
from vmbackup_core.settings.deployment import Deployment, read_deployment
from vmbackup_core.settings.faults import Fault, Faults, SettingsError, did_you_mean
from vmbackup_core.settings.forms import FAILED, Table
from vmbackup_core.settings.lines import Path, find_lines
from vmbackup_core.settings.sections import SECTIONS


@dataclass(frozen=True, slots=True)
class Settings:
    """
    Everything that is configured.

    `drills` is None where no restore tests are asked for, `mail` where nobody is told anything.
    `digest` is the SHA-256 of the file's bytes in hex: it says in the evidence which
    configuration a decision was made under.
    """

    rules: Rules
    policies: tuple[PolicySpec, ...]
    vaults: VaultNaming
    limits: Limits
    protect: Protect
    drills: DrillRules | None
    mail: MailRules | None
    deployment: Deployment
    source: str
    digest: str


def load(text: str | bytes, environment: Mapping[str, str], *, source: str) -> Settings:
    """
    Read `text`, the contents of a `vmbackup.toml` that `source` names, and the environment.

    Raises SettingsError with every fault of both at once; of a text that is no TOML at all, only
    the first place where it goes wrong can be told.
    """
    raw = text.encode() if isinstance(text, str) else text
    faults: list[Fault] = []
    try:
        deployment = read_deployment(environment)
    except SettingsError as error:
        faults.extend(error.faults)
    try:
        found = _read(_decode(raw), source)
    except SettingsError as error:
        faults.extend(error.faults)
    if faults:
        raise SettingsError(source, faults)
    protect, tags, vaults = found["protect"], found["tags"], found["vaults"]
    return Settings(
        rules=Rules(
            found["scope"],
            tags.policy,
            tags.opt_out,
            found["rules"],
            protect.on_stopped,
            protect.on_soft_deleted,
        ),
        policies=tuple(policy for _, policy in found["policies"]),
        vaults=VaultNaming(
            vaults.name,
            vaults.resource_group,
            vaults.create,
            vaults.redundancy,
            vaults.use,
            found["limits"].vms_per_vault,
        ),
        limits=found["limits"],
        protect=protect,
        drills=found["drills"],
        mail=found["mail"],
        deployment=deployment,
        source=source,
        digest=hashlib.sha256(raw).hexdigest(),
    )


def _decode(raw: bytes) -> str:
    """Return the text, without the mark that some editors put before it."""
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        fault = Fault(line, "encoding", "is not UTF-8", "save the file as UTF-8")
        raise SettingsError("", [fault]) from None


def _read(text: str, source: str) -> dict[str, Any]:
    """Return what each section means."""
    try:
        document = tomllib.loads(text)
    except ValueError as error:  # TOMLDecodeError, or a number that Python refuses to read.
        raise SettingsError(source, [_syntax_fault(str(error), text)]) from None
    except RecursionError:
        raise SettingsError(source, [Fault(0, "TOML", "is nested too deeply")]) from None
    faults = Faults(find_lines(text))
    known = [section.name for section in SECTIONS]
    for name in document:
        if name not in known:
            faults.add((name,), "unknown key", _home_of(name) or did_you_mean(name, known))
    found = {}
    for section in SECTIONS:
        if section.name in document:
            value = document[section.name]
            found[section.name] = section.form.read(value, (section.name,), faults)
        elif section.required:
            faults.add((section.name,), "missing", f"it takes {section.form.words}")
        elif section.default is None:
            found[section.name] = None
        else:
            found[section.name] = section.form.read(section.default, (section.name,), faults)
    _check_together(document, found, faults)
    if faults.found:
        raise SettingsError(source, faults.found)
    return found


def _syntax_fault(message: str, text: str) -> Fault:
    """Turn the parser's complaint into a fault with a line (its message ends with the place)."""
    what, _, where = message.rpartition(" (at ")
    place = re.match(r"line (\d+), column (\d+)", where)
    line = int(place[1]) if place else text.count("\n") + 1
    column = f" (column {place[2]})" if place else " (at the end)"
    return Fault(line, "TOML", f"{what}{column}")


def _home_of(name: str) -> str:
    """Say into which section a key belongs that stands outside of all."""
    for section in SECTIONS:
        if isinstance(section.form, Table) and name in (key.name for key in section.form.keys):
            return f"it belongs below [{section.name}]"
    return ""


def _check_together(document: Mapping[str, Any], found: Mapping[str, Any], faults: Faults) -> None:
    """Note what does not fit between sections, as far as both could be read."""
    policies, rules = document.get("policies"), document.get("rules")
    if isinstance(policies, dict) and isinstance(rules, list):
        for place, policy in _texts(rules, "policy"):
            if policy not in policies:
                faults.add(
                    ("rules", place, "policy"),
                    f'no policy is called "{policy}"',
                    did_you_mean(policy, policies) or f"define [policies.{policy}]",
                )
    tags = found.get("tags", FAILED)
    if tags is not FAILED and isinstance(rules, list):
        for place, value in _texts(rules, "tag"):
            if value in tags.opt_out:
                faults.add(
                    ("rules", place, "tag"),
                    f'can never win: "{value}" opts out',
                    "remove it here or from tags.opt_out",
                )

    scope = found.get("scope", FAILED)
    if scope is FAILED or not scope.subscriptions:
        return
    for path, subscription in (
        *_rule_subscriptions(found),
        *_vault_subscriptions(found),
        *_mail_subscriptions(found),
    ):
        if subscription not in scope.subscriptions:
            faults.add(path, NOT_IN_SCOPE, "add it there, or remove this")


def _rule_subscriptions(found: Mapping[str, Any]) -> list[tuple[Path, str]]:
    rules = found.get("rules", FAILED)
    return [
        (("rules", place, "subscriptions", n), subscription)
        for place, rule in enumerate(() if rules is FAILED else rules)
        for n, subscription in enumerate(rule.subscriptions)
    ]


def _vault_subscriptions(found: Mapping[str, Any]) -> list[tuple[Path, str]]:
    vaults = found.get("vaults", FAILED)
    used = () if vaults is FAILED else dict.fromkeys(use.subscription for use in vaults.use)
    return [(("vaults", "use", subscription), subscription) for subscription in used]


def _mail_subscriptions(found: Mapping[str, Any]) -> list[tuple[Path, str]]:
    mail = found.get("mail", FAILED)
    if mail is FAILED or mail is None:
        return []
    parts = (("routes", mail.routing.routes), ("targets", mail.rpos))
    return [
        (("mail", part, place, "subscriptions", n), subscription)
        for part, things in (*parts, ("maintenance", mail.maintenance))
        for place, thing in enumerate(things)
        for n, subscription in enumerate(thing.selector.subscriptions)
    ]


def _texts(rules: Iterable[object], key: str) -> list[tuple[int, str]]:
    """Return each text that stands as `key` of a rule, with the rule's place."""
    found = []
    for place, rule in enumerate(rules):
        value = rule.get(key) if isinstance(rule, dict) else None
        found += [(place, text) for text in (value if isinstance(value, list) else [value])]
    return [(place, text) for place, text in found if isinstance(text, str)]
