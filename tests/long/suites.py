"""Takes over the tests of another module, so that one suite holds for one backend more."""

import inspect
from collections.abc import Callable
from types import ModuleType
from typing import Any

Test = Callable[..., Any]


def promises(suite: ModuleType, *grounds: str) -> dict[str, Test]:
    """Return the tests of `suite` that stand on one of the fixtures `grounds` and nothing more."""
    found = {}
    for name, test in vars(suite).items():
        if name.startswith("test_") and _needs(test) & {*grounds} and "world" not in _needs(test):
            found[name] = test
    return found


def _needs(test: Test) -> set[str]:
    return set(inspect.signature(test).parameters)
