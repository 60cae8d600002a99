"""What the app does to tell people: it asks the log, and sends mails from its own address."""

import re
from typing import Any

from vmbackup_core.adapters.api_versions import EMAIL
from vmbackup_core.adapters.deed_forms import Deed, Found, Host, keys
from vmbackup_core.domain.telling.routing import MOST_RECIPIENTS, address_fault

_GUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_CONTENT = {"subject", "plaintext", "html"}
_ATTACHED = {"name", "contenttype", "contentinbase64"}


def _log_question(_found: Found, body: Any) -> str:
    """Allow a query of tables; a command would begin with a dot, and is none that is taken here."""
    if wrong := keys(body, {"query", "workspaces"}, "the body"):
        return wrong
    query, others = body.get("query"), body.get("workspaces", [])
    if not isinstance(query, str) or not query.strip() or query.lstrip().startswith("."):
        return "no query"
    plain = isinstance(others, list) and all(
        isinstance(other, str) and re.fullmatch(_GUID, other) for other in others
    )
    return "" if plain else "no list of workspaces"


def _mail(_found: Found, body: Any) -> str:
    """Allow a mail to people whose addresses are plain, with nothing beside that we write."""
    known = {"senderaddress", "content", "recipients", "attachments"}
    if wrong := keys(body, known | {"userengagementtrackingdisabled"}, "the body"):
        return wrong
    if wrong := keys(body.get("content"), _CONTENT, "content"):
        return wrong
    if wrong := keys(body.get("recipients"), {"to", "cc"}, "recipients"):
        return wrong
    if body.get("userengagementtrackingdisabled") is not True:
        return "it would track who reads it"
    listed = [one for kind in ("to", "cc") for one in body["recipients"].get(kind, [])]
    if not 0 < len(listed) <= MOST_RECIPIENTS:
        return "it has no recipient, or too many"
    for one in listed:
        if wrong := keys(one, {"address"}, "a recipient"):
            return wrong
        if not isinstance(one.get("address"), str) or address_fault(one["address"]):
            return "a recipient is no address"
    wrongs = (keys(one, _ATTACHED, "an attachment") for one in body.get("attachments", []))
    return next((wrong for wrong in wrongs if wrong), "")


TELLING: tuple[Deed, ...] = (
    Deed(
        "ask the log of workspaces",
        Host.LOGS,
        ("POST",),
        rf"/v1/workspaces/{_GUID}/query",
        {},
        _log_question,
        reads=True,
    ),
    Deed(
        "send a mail from its own address",
        Host.EMAIL,
        ("POST",),
        r"/emails:send",
        {"api-version": EMAIL},
        _mail,
        may_bear=("operation-id", "repeatability-request-id", "repeatability-first-sent"),
    ),
)
