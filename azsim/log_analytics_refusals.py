"""
How the query service of Log Analytics says no: an error around an error around the reason.

The forms are those of real answers quoted in public: the recordings of the Azure SDK for
JavaScript, its troubleshooting guides, Azure/azure-cli-extensions issues 3002, 2479 and 3914.
"""

from typing import Any

from azsim.http import ArmError

INVALID = "The request had some invalid properties"


class Refused(ArmError):
    """An error of this service; `inner` says more, from the outside in."""

    def __init__(
        self, status: int, code: str, message: str, inner: dict[str, Any] | None = None
    ) -> None:
        super().__init__(status, code, message)
        self.inner = inner


# models log-syntax-error
def syntax_error(line: int, position: int, token: str) -> Refused:
    reason = {
        "code": "SYN0002",
        "message": f"Query could not be parsed at '{token}' on line [{line},{position}]",
        "line": line,
        "pos": position,
        "token": token,
    }
    said = "A recognition error occurred in the query."
    inner = {"code": "SyntaxError", "message": said, "innererror": reason}
    return Refused(400, "BadArgumentError", INVALID, inner)


# models log-semantic-error
def unresolved(operator: str, kind: str, name: str) -> Refused:
    """Refuse a name that nothing in the workspace bears; `kind` is of what it could have been."""
    where = f"'{operator}' operator: " if operator else ""
    reason = {
        "code": "SEM0100",
        "message": f"{where}Failed to resolve {kind} expression named '{name}'",
    }
    inner = {
        "code": "SemanticError",
        "message": "A semantic error occurred.",
        "innererror": reason,
    }
    return Refused(400, "BadArgumentError", INVALID, inner)


# models log-bad-request
def bad_argument(message: str) -> Refused:
    return Refused(400, "BadArgumentError", INVALID, {"code": "BadRequest", "message": message})


# models log-unknown-workspace
def no_such_path() -> Refused:
    return Refused(404, "PathNotFoundError", "The requested path does not exist")


# models log-partial
def truncated(most: int) -> dict[str, Any]:
    """Return the `error` that stands beside the rows where there were more than are given."""
    reason = {
        "code": "-2133196797",
        "message": f"The results of this query exceed the set limit of {most} records, so not all "
        "records were returned (E_QUERY_RESULT_SET_TOO_LARGE, 0x80DA0003). See "
        "https://aka.ms/kustoquerylimits for more information and possible solutions.",
        "severity": 2,
        "severityName": "Error",
    }
    detail = {
        "code": "EngineError",
        "message": "Something went wrong processing your query on the server.",
        "innererror": reason,
    }
    return {
        "code": "PartialError",
        "message": "There were some errors when processing your query.",
        "details": [detail],
    }
