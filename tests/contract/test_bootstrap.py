"""The app is put together from the environment, and follows a configuration that lies in a blob."""

from pathlib import Path

import pytest

from azsim.transport import SimTransport
from azsim.world import World
from tests.credentials import StaticCredential
from tests.scenario.stage import SUB, TOML
from vmbackup_core import bootstrap
from vmbackup_core.domain.errors import Rejected
from vmbackup_core.settings import SettingsError

ACCOUNT = "stvmbackup"
IN_A_BLOB = f"https://{ACCOUNT}.blob.core.windows.net/config/vmbackup.toml"


def test_the_app_is_built_from_a_file_and_a_directory(tmp_path: Path):
    (tmp_path / "vmbackup.toml").write_text(TOML)
    environment = {
        "VMBACKUP_CONFIG": str(tmp_path / "vmbackup.toml"),
        "VMBACKUP_STATE_DIR": str(tmp_path / "state"),
    }

    app = bootstrap.follow(environment, credential=StaticCredential()).present()

    app.notebook.set_pause("freeze")
    assert app.settings.rules.scope.subscriptions == (SUB,)
    assert app.notebook.pause() is not None
    assert app.deadletters is None


def test_the_app_is_built_from_a_blob_and_keeps_its_state_in_azure(
    world: World, credential: StaticCredential
):
    account = world.storage.create_account(ACCOUNT)
    config = account.create_container("config")
    config.write("vmbackup.toml", TOML.encode(), world.clock.now())
    environment = {"VMBACKUP_CONFIG": IN_A_BLOB, "VMBACKUP_STORAGE_ACCOUNT": ACCOUNT}
    transport = SimTransport(world)

    app = bootstrap.follow(environment, transport=transport, credential=credential).present()

    app.notebook.set_pause("freeze")
    assert app.notebook.pause() is not None
    assert app.deadletters is not None


def test_a_blob_is_read_again_only_when_it_changed(world: World, credential: StaticCredential):
    account = world.storage.create_account(ACCOUNT)
    config = account.create_container("config")
    config.write("vmbackup.toml", TOML.encode(), world.clock.now())
    environment = {"VMBACKUP_CONFIG": IN_A_BLOB, "VMBACKUP_STORAGE_ACCOUNT": ACCOUNT}
    follower = bootstrap.follow(environment, transport=SimTransport(world), credential=credential)
    _, etag = follower.read("") or (b"", "")

    assert follower.read(etag) is None
    config.write("vmbackup.toml", TOML.encode() + b"# newer", world.clock.now())
    assert follower.read(etag) is not None


def test_a_configuration_that_is_not_there_is_told_with_its_name(tmp_path: Path):
    environment = {
        "VMBACKUP_CONFIG": str(tmp_path / "nowhere.toml"),
        "VMBACKUP_STATE_DIR": str(tmp_path),
    }

    with pytest.raises(Rejected, match=r"nowhere\.toml.*VMBACKUP_CONFIG"):
        bootstrap.follow(environment).present()


def test_an_environment_without_a_place_for_state_is_told_what_to_set():
    with pytest.raises(SettingsError, match="VMBACKUP_STATE_DIR"):
        bootstrap.follow({})
