"""Starting workflows: at most one for each VM, and one that fails holds back no other."""

import asyncio
from typing import Any

import pytest

import function_app
from tests.builders import vm
from tests.small_app import small_app
from vmbackup_core import bootstrap
from vmbackup_core.domain.intents import EnsureProtected

INTENTS = [EnsureProtected(vm(name).id) for name in ("one", "two", "three")]


class Client:
    """A durable client that refuses what it is told to."""

    def __init__(self, refuses: dict[str, str]) -> None:
        self.refuses, self.started = refuses, list[str]()

    async def start_new(self, name: str, key: str, given: Any) -> None:
        if key in self.refuses:
            raise Exception(self.refuses[key])  # noqa: TRY002 - As the SDK does.
        self.started.append(key)


class OnlyWorkflows:
    workflows = small_app().workflows


@pytest.fixture(autouse=True)
def an_app():
    bootstrap.use(OnlyWorkflows())  # type: ignore[arg-type]
    yield
    bootstrap.use(None)


def test_a_workflow_that_runs_already_is_no_error():
    already = "An Orchestration instance with the status Running already exists."
    client = Client({INTENTS[0].key: already})

    asyncio.run(function_app._start(client, INTENTS))

    assert client.started == [INTENTS[1].key, INTENTS[2].key]


def test_one_that_cannot_be_started_holds_back_no_other_and_is_told():
    client = Client({INTENTS[0].key: "no storage"})

    with pytest.raises(Exception, match="no storage"):
        asyncio.run(function_app._start(client, INTENTS))

    assert client.started == [INTENTS[1].key, INTENTS[2].key]
