"""
The part of KQL that Resource Graph takes, and what it says to the rest.

Operators, join flavours and their limits are those of "Understanding the Azure Resource Graph query
language"; the page lists no functions ("a subset"), so the functions here are those of its
published samples and their next of kin (inferred). Refusals have the form of public issues
(Azure/azure-powershell 13762, Azure/aztfexport 485); which detail code goes with which fault beyond
those two is guessed.
"""

import re
from collections import Counter
from functools import lru_cache
from typing import Any

from duckdb_kql import KqlError, KqlSyntaxError, ir, to_sql
from duckdb_kql.lower import lower

from azsim.graph_index import COLUMNS, TABLES
from azsim.graph_refusals import Refused, invalid
from azsim.kql import ANY_TIME, QUOTED, NotModelled, Translated, translate_once, walk

# These exist, but nothing in the world fills them.
TABLES_NOT_MODELLED = frozenset(
    {
        "advisorresources",
        "alertsmanagementresources",
        "authorizationresources",
        "computeresources",
        "guestconfigurationresources",
        "healthresources",
        "maintenanceresources",
        "networkresources",
        "patchassessmentresources",
        "patchinstallationresources",
        "policyresources",
        "resourcechanges",
        "resourcecontainerchanges",
        "securityresources",
        "servicehealthresources",
    }
)

# models graph-operators
_OPERATORS = frozenset(
    (
        *("count", "distinct", "extend", "join", "limit", "mv-expand", "mvexpand", "order"),
        *("parse", "project", "project-away", "sort", "summarize", "take", "top", "union", "where"),
    )
)
# models graph-joins
_JOINS = frozenset({"innerunique", "inner", "leftouter", "fullouter"})
_AT_MOST = {ir.Join: 3, ir.Union: 3, ir.MvExpand: 3}
_SCALAR = """
    tolower toupper tostring toint tolong todouble toreal tobool toboolean todatetime totimespan
    toguid todynamic parse_json strcat strcat_array strlen substring split indexof replace
    replace_string replace_regex trim trim_start trim_end extract extract_all countof reverse
    isempty isnotempty isnull isnotnull notnull not iff iif case coalesce gettype
    array_length array_concat array_slice array_index_of array_sort_asc array_sort_desc
    bag_keys bag_pack pack pack_array set_has_element set_union set_intersect set_difference
    ago now bin floor ceiling round abs min_of max_of format_datetime format_timespan datetime_diff
    datetime_add datetime_part startofday startofweek startofmonth startofyear endofday endofweek
    endofmonth endofyear dayofweek dayofmonth dayofyear getyear getmonth hourofday make_datetime
    make_timespan unixtime_seconds_todatetime hash hash_sha256 base64_encode_tostring
    base64_decode_tostring parse_url parse_version url_decode url_encode ipv4_is_match
    ipv4_is_private parse_ipv4 rand
"""
_AGGREGATES = """
    count countif dcount dcountif sum sumif avg avgif min minif max maxif arg_max arg_min any
    take_any make_list make_list_if make_set make_set_if make_bag percentile stdev variance
"""
# models graph-functions
_FUNCTIONS = frozenset(f"{_SCALAR} {_AGGREGATES}".split())
# models graph-no-let
_STATEMENT = re.compile(r"\s*(let|set|declare|print|datatable|range|find|search)\b", re.IGNORECASE)
_PIPED = re.compile(r"\|\s*([A-Za-z][A-Za-z-]*)")
_BARE = re.compile(r"\s*([a-z][a-z-]*)\b(?!\s*=)")


def translate(text: str) -> Translated:
    """
    Return `text` as SQL over the tables; what differs in its times only is translated once.

    Raises Refused where Resource Graph would refuse, NotModelled where only azsim is at a loss.
    """
    return translate_once(text, _translate, Refused)


@lru_cache(maxsize=512)
def _translate(text: str) -> Translated:
    bare = QUOTED.sub("''", text)
    if (first := _BARE.match(bare)) and first[1] in _OPERATORS:
        text, bare = f"resources | {text}", f"resources | {bare}"
    _check_words(bare)
    try:
        nodes = list(walk(lower(text)))
        _check(nodes)
        named = {node.name for node in nodes if isinstance(node, ir.TableRef)}
        schema = {name: list(COLUMNS) for name in named}
        # models graph-count-name
        sql = to_sql(text, schema=schema, allow_write=False, query_now=ANY_TIME)
    except KqlSyntaxError as error:
        raise invalid(*map(_parser_failure, error.diagnostics)) from error
    except KqlError as error:
        raise NotModelled(str(error)) from error
    return Translated(
        sql=str(sql),
        tables=frozenset(name.lower() for name in named),
        clock_slots=frozenset(sql.parameters),
        pages=not any(isinstance(node, ir.Take) for node in nodes),
    )


def _check_words(bare: str) -> None:
    """Look at the operators in a text without its strings and comments: each follows a pipe."""
    if statement := _STATEMENT.match(bare):
        raise invalid(_language(statement[1]))
    for word in _PIPED.findall(bare):
        if word.lower() not in _OPERATORS:
            raise invalid(_language(word))


def _check(nodes: list[Any]) -> None:
    counts = Counter(type(node) for node in nodes)
    for node in nodes:
        match node:
            case ir.Join(kind=kind) if kind not in _JOINS:
                raise invalid(_language(f"kind={kind}"))
            case ir.FunctionCall(name=name) if name.lower() not in _FUNCTIONS:
                raise invalid(_language(name))
            case ir.ToScalar():
                raise invalid(_language("toscalar"))
            case ir.TableRef(name=name):
                _check_table(name)
    for operator, most in _AT_MOST.items():
        if counts[operator] > most:
            raise invalid(_language(operator.__name__.lower()))


# models graph-detail-codes
def _check_table(name: str) -> None:
    if name.lower() in TABLES_NOT_MODELLED:
        raise NotModelled(f"table {name}")
    if name.lower() not in TABLES:
        said = f"Table {name} is invalid, unsupported or disallowed."
        raise invalid({"code": "DisallowedLogicalTableName", "message": said})


def _language(token: str) -> dict[str, Any]:
    return {
        "code": "InvalidQueryLanguage",
        "message": "InvalidQueryLanguage",
        "line": -1,
        "characterPositionInLine": -1,
        "token": token,
    }


def _parser_failure(diagnostic: Any) -> dict[str, Any]:
    return {
        "code": "ParserFailure",
        "message": "ParserFailure",
        "line": diagnostic.span.line,
        "characterPositionInLine": diagnostic.span.column,
        "token": diagnostic.message,
    }
