"""
Keep orchestrators to what replays safely and to the calls that Durable Functions 2.x keeps.

An orchestrator runs again from its start each time something happens, so whatever it asks of the
world must come through its context. This lint reads the source and allows a short list, rather
than forbidding a long one: `python tools/orchestrator_lint.py function_app.py` prints
`file:line: what is wrong; what to do` for each fault and exits with 1 when there is one.
"""

import ast
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

TRIGGER = "orchestration_trigger"

METHODS = frozenset(
    {
        "call_activity",
        "call_sub_orchestrator",
        "continue_as_new",
        "create_timer",
        "get_input",
        "set_custom_status",
        "task_all",
        "task_any",
        "wait_for_external_event",
    }
)
ATTRIBUTES = frozenset({"current_utc_datetime", "instance_id", "is_replaying"})

# Calls of module-level names that give the same answer on every replay.
PURE = frozenset(
    {"abs", "all", "any", "bool", "dict", "divmod", "enumerate", "filter", "float", "frozenset"}
    | {"int", "isinstance", "len", "list", "map", "max", "min", "range", "repr", "reversed"}
    | {"round", "set", "sorted", "str", "sum", "timedelta", "tuple", "zip"}
)
PURE_METHODS = frozenset({"datetime.fromisoformat", "datetime.timedelta"})

INSTEAD = {
    "call_activity_with_retry": "call the activity again after create_timer",
    "call_sub_orchestrator_with_retry": "call the sub-orchestrator again after create_timer",
    "call_http": "make the call in an activity",
    "call_entity": "keep the state in an activity's storage",
    "signal_entity": "keep the state in an activity's storage",
    "new_guid": "derive the id from the input or from instance_id",
    "new_uuid": "derive the id from the input or from instance_id",
    "df": "use get_input, call_activity and the others directly",
}
CLOCKS = {"now", "utcnow", "today", "time", "monotonic"}
OUTSIDE = frozenset(
    {"builtins", "environ", "io", "logging", "os", "pathlib", "random", "requests", "secrets"}
    | {"socket", "subprocess", "sys", "time", "uuid"}
)


@dataclass(frozen=True, order=True, slots=True)
class Fault:
    """One thing that an orchestrator must not do, and what to do instead."""

    line: int
    message: str


def lint(source: str) -> list[Fault]:
    """Return the faults of all orchestrators in `source`, in order of their lines."""
    functions = [
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and _trigger(node) is not None
    ]
    return sorted({fault for function in functions for fault in _faults(function)})


def _trigger(function: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.Call | None:
    for decorator in function.decorator_list:
        if (
            isinstance(decorator, ast.Call)
            and isinstance(decorator.func, ast.Attribute)
            and decorator.func.attr == TRIGGER
        ):
            return decorator
    return None


def _faults(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[Fault]:
    arguments = function.args
    named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    if len(named) != 1 or arguments.vararg or arguments.kwarg:
        yield Fault(
            function.lineno,
            f"{function.name} takes {len(named)} arguments; an orchestrator takes its context only",
        )
        return
    if isinstance(function, ast.AsyncFunctionDef):
        yield Fault(function.lineno, f"{function.name} is async; make it a plain generator")
    context = named[0].arg
    yield from _name_faults(function, context)
    own = {context, *_assigned(function)}
    nodes = [node for statement in function.body for node in ast.walk(statement)]
    spoken_to = {id(node.value) for node in nodes if isinstance(node, ast.Attribute)}
    raised = {id(node.exc) for node in nodes if isinstance(node, ast.Raise)}
    for node in nodes:
        match node:
            case ast.Attribute(value=ast.Name(id=name)) if name == context:
                yield from _context_faults(node)
            case ast.Call() if id(node) not in raised:
                yield from _call_faults(node, own, context)
            case ast.Name(id=name) if name == context and id(node) not in spoken_to:
                yield Fault(
                    node.lineno,
                    f"{context} is handed on; call its methods here, so that this lint sees them",
                )
        yield from _statement_faults(node, own)


def _name_faults(function: ast.FunctionDef | ast.AsyncFunctionDef, context: str) -> Iterator[Fault]:
    trigger = _trigger(function)
    given = [k.value for k in (trigger.keywords if trigger else []) if k.arg == "context_name"]
    given += (trigger.args if trigger else [])[:1]
    if not given or not isinstance(given[0], ast.Constant) or given[0].value != context:
        yield Fault(function.lineno, f"{TRIGGER} must name the argument: context_name='{context}'")


def _context_faults(node: ast.Attribute) -> Iterator[Fault]:
    if node.attr not in METHODS | ATTRIBUTES:
        advice = INSTEAD.get(node.attr, "Durable 2.x does not promise it")
        yield Fault(node.lineno, f"uses the context's {node.attr}; {advice}")


def _call_faults(call: ast.Call, own: set[str], context: str) -> Iterator[Fault]:
    name = _dotted(call.func)
    root, _, rest = name.partition(".")
    if not name or root == context or name in PURE_METHODS:
        return
    if rest and root not in own:
        clock = name.rpartition(".")[2] in CLOCKS
        advice = f"use {context}.current_utc_datetime" if clock else "do it in an activity"
        yield Fault(call.lineno, f"calls {name}; {advice}")
    elif not rest and name not in PURE:
        yield Fault(call.lineno, f"calls {name}; do it in an activity")


def _statement_faults(node: ast.AST, own: set[str]) -> Iterator[Fault]:
    match node:
        case ast.Import() | ast.ImportFrom():
            yield Fault(node.lineno, "imports inside an orchestrator; import at the top")
        case ast.Await() | ast.AsyncFor() | ast.AsyncWith():
            yield Fault(node.lineno, "awaits; yield a task of the context instead")
        case ast.Global() | ast.Nonlocal():
            yield Fault(
                node.lineno, "writes outside itself; carry state in the input or in results"
            )
        case ast.With():
            yield Fault(node.lineno, "opens something; do it in an activity")
        case ast.Name(id=name, ctx=ast.Load()) if name in OUTSIDE - own:
            yield Fault(node.lineno, f"reaches for {name}; do it in an activity")


def _assigned(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    """Yield the names that the function binds itself: values that came from the context."""
    for node in ast.walk(function):
        match node:
            case ast.Name(id=name, ctx=ast.Store()):
                yield name
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)):
                yield name
            case ast.MatchStar(name=str(name)):
                yield name


def _dotted(node: ast.expr) -> str:
    """Return `a.b.c` for such an expression, an empty string where it starts otherwise."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        root = _dotted(node.value)
        return f"{root}.{node.attr}" if root else ""
    return ""


def main(paths: Sequence[str]) -> int:
    """Lint the files, print their faults, return the exit code."""
    if not paths:
        print("usage: orchestrator_lint.py FILE...", file=sys.stderr)
        return 64
    faults = [(path, f) for path in paths for f in lint(Path(path).read_text(encoding="utf-8"))]
    for path, fault in faults:
        print(f"{path}:{fault.line}: {fault.message}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
