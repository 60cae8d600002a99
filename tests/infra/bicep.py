"""
Bicep carried out on paper: which resources a template would deploy, and with which bodies.

Knows the dialect that infra/ keeps to, and raises for anything else. What only Azure could tell (a
client id, an address) stands as `<name.property>`. It proves nothing about the compiler: what this
module takes, Bicep may refuse.
"""

import hashlib
import json
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import tree_sitter_bicep
from tree_sitter import Language, Node, Parser

HOME = "11111111-1111-4111-8111-111111111111"
TENANT = "99999999-9999-4999-8999-999999999999"
_PARSER = Parser(Language(tree_sitter_bicep.language()))


class NotUnderstood(Exception):
    """The template holds something that this module does not know."""


@dataclass(frozen=True)
class Resource:
    """One resource as it would be deployed, or as it is expected to be there (`existing`)."""

    kind: str
    name: str
    id: str
    body: Mapping[str, Any]
    existing: bool = False

    def get(self, name: str) -> Any:
        own = {"id": self.id, "name": self.name, "location": self.body.get("location")}
        return own[name] if name in own else Later(f"{self.name}.{name}")


@dataclass(frozen=True)
class Later:
    """A value that only Azure could tell."""

    path: str

    def get(self, name: str) -> "Later":
        return Later(f"{self.path}.{name}")

    def __str__(self) -> str:
        return f"<{self.path}>"


@dataclass
class Template:
    """One file with its parameters, at its scope; its resources are worked out at first need."""

    path: Path
    scope: str
    given: Mapping[str, Any]
    name: str = ""  # Of the deployment that carries it out.
    declared: dict[str, Node] = field(default_factory=dict)
    known: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        root = _PARSER.parse(self.path.read_bytes()).root_node
        if root.has_error:
            raise NotUnderstood(f"{self.path.name} is no Bicep")
        for node in root.named_children:
            if node.type.endswith("_declaration"):
                where = "output " if node.type == "output_declaration" else ""
                self.declared[where + _text(node.named_children[0])] = node
        if foreign := set(self.given) - set(self.declared):
            raise NotUnderstood(f"{self.path.name} has no parameters {foreign}")

    def resources(self) -> Iterator[Resource]:
        """Yield all resources of this file, and of the modules that it names."""
        for one in self._declared("resource_declaration", "module_declaration"):
            match one:
                case Resource(existing=False):
                    yield one
                case Template():
                    yield from one.resources()

    def modules(self) -> Iterator["Template"]:
        """Yield all modules, and those that they name."""
        for one in self._declared("module_declaration"):
            if isinstance(one, Template):
                yield one
                yield from one.modules()

    def _declared(self, *kinds: str) -> Iterator[Any]:
        for name, node in self.declared.items():
            if node.type in kinds:
                found = self.value_of(name)
                yield from found if isinstance(found, list) else [found]

    def get(self, name: str) -> Any:
        """Return `outputs` for whoever has this file as a module."""
        if name != "outputs":
            raise NotUnderstood(f"a module has no {name}")
        return _Outputs(self)

    def value_of(self, name: str) -> Any:
        if name not in self.known:
            self.known[name] = self._declare(name, self.declared[name])
        return self.known[name]

    def _declare(self, name: str, node: Node) -> Any:
        value = node.named_children[-1]
        match node.type:
            case "parameter_declaration":
                if name in self.given:
                    return self.given[name]
                if value.type == "type":
                    raise NotUnderstood(f"{self.path.name} is not given {name}")
                return self.value(value, {})
            case "variable_declaration" | "output_declaration":
                return self.value(value, {})
            case "resource_declaration":
                existing = any(child.type == "existing" for child in node.children)
                return self._made(value, {}, partial(self._resource, _quoted(node), existing))
            case "module_declaration":
                return self._made(value, {}, partial(self._module, _quoted(node)))
        raise NotUnderstood(node.type)

    def _made(self, node: Node, local: Mapping[str, Any], make: Callable[[Any], Any]) -> Any:
        """Make what is declared once, for each item of a loop, or not at all."""
        if node.type == "for_statement":
            return [
                self._made(node.named_children[-1], inner, make)
                for inner in self._rounds(node, local)
            ]
        if node.type == "if_statement":
            if not self.value(node.named_children[0], local):
                return None
            node = node.named_children[-1]
        return make(self.value(node, local))

    def _resource(self, told: str, existing: bool, body: dict[str, Any]) -> Resource:
        kind, _, _ = told.partition("@")
        name = str(body["name"])
        above, scope = body.pop("parent", None), body.pop("scope", None)
        body.pop("dependsOn", None)
        if above is not None:
            place = f"{above.id}/{kind.rsplit('/', 1)[-1]}/{name}"
        elif kind == "Microsoft.Resources/resourceGroups":
            place = f"{self.scope}/resourceGroups/{name}"
        else:
            place = f"{scope.id if scope else self.scope}/providers/{kind}/{name}"
        return Resource(kind, name, place, body, existing)

    def _module(self, told: str, body: dict[str, Any]) -> "Template":
        scope = body.get("scope")
        where = scope.id if isinstance(scope, Resource) else scope or self.scope
        return Template(self.path.parent / told, where, body.get("params", {}), str(body["name"]))

    def _rounds(self, node: Node, local: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        loop, items, _ = node.named_children
        names = [_text(child) for child in loop.named_children] or [_text(loop)]
        for number, item in enumerate(self.value(items, local)):
            yield {**local, **dict(zip(names, (item, number), strict=False))}

    def value(self, node: Node, local: Mapping[str, Any]) -> Any:
        """Return what an expression comes to, with the names of loops in `local`."""
        parts = [child for child in node.named_children if child.type != "comment"]
        match node.type:
            case "object":
                return {self._key(p, local): self.value(p.named_children[-1], local) for p in parts}
            case "array":
                return [self.value(part, local) for part in parts]
            case "string":
                return "".join(self._pieces(node, local))
            case "number":
                return int(_text(node))
            case "boolean":
                return _text(node) == "true"
            case "null":
                return None
            case "identifier":
                name = _text(node)
                return local[name] if name in local else self.value_of(name)
            case "parenthesized_expression":
                return self.value(parts[0], local)
            case "ternary_expression":
                return self.value(parts[1 if self.value(parts[0], local) else 2], local)
            case "member_expression":
                return self._member_of(parts[0], _text(parts[1]), local)
            case "subscript_expression":
                return self.value(parts[0], local)[self.value(parts[1], local)]
            case "binary_expression":
                return self._binary(node, local)
            case "for_statement":
                return [self.value(parts[-1], inner) for inner in self._rounds(node, local)]
            case "call_expression":
                arguments = [self.value(part, local) for part in parts[1].named_children]
                return self._call(_text(parts[0]), arguments)
        raise NotUnderstood(f"{node.type}: {_text(node)}")

    def _member_of(self, owner: Node, name: str, local: Mapping[str, Any]) -> Any:
        """Return a member; the tree takes `a ? b : c.d` for `(a ? b : c).d`, and Bicep does not."""
        if owner.type != "ternary_expression":
            return _member(self.value(owner, local), name)
        condition, one, other = owner.named_children
        if self.value(condition, local):
            return self.value(one, local)
        return self._member_of(other, name, local)

    def _key(self, node: Node, local: Mapping[str, Any]) -> str:
        key = node.named_children[0]
        return str(self.value(key, local)) if key.type == "string" else _text(key)

    def _pieces(self, node: Node, local: Mapping[str, Any]) -> Iterator[str]:
        """Yield a string's parts; the tree counts blanks before a `${` to what it opens."""
        text, start = node.text or b"", node.start_byte
        at = 1  # Behind the quote.
        for part in (child for child in node.named_children if child.type == "interpolation"):
            yield _literal(text[at : text.index(b"${", part.start_byte - start)])
            yield str(self.value(part.named_children[0], local))
            at = part.end_byte - start
        yield _literal(text[at:-1])

    def _binary(self, node: Node, local: Mapping[str, Any]) -> Any:
        left, right = (partial(self.value, child, local) for child in node.named_children)
        match node.children[1].type:
            case "&&":
                return left() and right()
            case "||":
                return left() or right()
            case "==":
                return left() == right()
            case "!=":
                return left() != right()
            case ">":
                return left() > right()
            case "+":
                return left() + right()
            case "-":
                return left() - right()
        raise NotUnderstood(_text(node))

    def _call(self, name: str, arguments: list[Any]) -> Any:
        subscription = "/".join(self.scope.split("/")[:3])
        match name, arguments:
            case "subscription", []:
                return {
                    "id": subscription,
                    "subscriptionId": subscription.rsplit("/", 1)[-1],
                    "tenantId": TENANT,
                }
            case "subscription", [one]:
                return f"/subscriptions/{one}"
            case "resourceGroup", []:
                return {"id": self.scope, "name": self.scope.rsplit("/", 1)[-1]}
            case "resourceGroup", [one]:
                return f"{subscription}/resourceGroups/{one}"
            case "resourceGroup", [where, one]:
                return f"/subscriptions/{where}/resourceGroups/{one}"
            case "subscriptionResourceId", [kind, one]:
                return f"{subscription}/providers/{kind}/{one}"
            case "loadJsonContent", [path]:
                return json.loads((self.path.parent / path).read_text())
            case _, _ if name in _FUNCTIONS:
                return _FUNCTIONS[name](*arguments)
        raise NotUnderstood(f"{name}() in {self.path.name}")


@dataclass(frozen=True)
class _Outputs:
    template: Template

    def get(self, name: str) -> Any:
        return self.template.value_of(f"output {name}")


def deploy(path: Path, scope: str = f"/subscriptions/{HOME}", **given: Any) -> list[Resource]:
    """Return all resources that a template would deploy at `scope` with these parameters."""
    return list(Template(path, scope, given).resources())


def _member(owner: Any, name: str) -> Any:
    return owner[name] if isinstance(owner, Mapping) else owner.get(name)


def _text(node: Node) -> str:
    return (node.text or b"").decode()


def _literal(raw: bytes) -> str:
    text = raw.decode()
    for escaped, plain in (("\\'", "'"), ("\\n", "\n"), ("\\$", "$"), ("\\\\", "\\")):
        text = text.replace(escaped, plain)
    return text


def _quoted(node: Node) -> str:
    return next(_text(child).strip("'") for child in node.named_children if child.type == "string")


def _unique(*seeds: str) -> str:
    return hashlib.sha256("|".join(map(str, seeds)).encode()).hexdigest()[:13]


def _union(*several: Any) -> Any:
    if isinstance(several[0], Mapping):
        return {key: value for one in several for key, value in one.items()}
    return list(dict.fromkeys(chain(*several)))


_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "concat": lambda *lists: list(chain(*lists)),
    "contains": lambda holder, one: one in holder,
    "environment": lambda: {
        "name": "AzureCloud",
        "suffixes": {"storage": "core.windows.net"},
        "authentication": {"loginEndpoint": "https://login.microsoftonline.com/"},
    },
    "guid": lambda *seeds: str(uuid.uuid5(uuid.NAMESPACE_URL, "|".join(map(str, seeds)))),
    "join": lambda items, between: between.join(map(str, items)),
    "length": len,
    "range": lambda first, count: list(range(first, first + count)),
    "string": lambda value: json.dumps(value, separators=(",", ":")),
    "split": lambda text, at: text.split(at),
    "take": lambda text, count: text[:count],
    "utcNow": lambda form: form.replace("yyyy", "2026").replace("MM", "11"),
    "toLower": lambda text: text.lower(),
    "union": _union,
    "uniqueString": _unique,
}
