"""Playing recordings: what counts as a match, and a floor under what real traffic finds equal."""

import json
from pathlib import Path
from typing import Any

import pytest

from azsim.replay.__main__ import as_document, as_text, counts, main
from azsim.replay.player import Verdict, play, play_files
from azsim.replay.recording import load

SHARED = Path(__file__).parents[2].parent / "shared" / "recorded"
FLOOR = Path(__file__).with_name("replay_floor.json")
PROVIDER = "Microsoft.RecoveryServices"
GROUP = "/subscriptions/00000000-0000-0000-0000-00000000000a/resourceGroups/rg"
VAULT = f"{GROUP}/providers/Microsoft.RecoveryServices/vaults/vault"
NOT_FOUND = (
    "The Resource 'Microsoft.RecoveryServices/vaults/vault' under resource group 'rg' was not "
    "found. For more details please go to https://aka.ms/ARMResourceNotFoundFix"
)


def exchange(**differently: Any) -> dict[str, Any]:
    """Return a recorded exchange that azsim answers in the same way."""
    return {
        "method": "GET",
        "host": "management.azure.com",
        "path": VAULT,
        "query": {"api-version": "2024-04-01"},
        "request": None,
        "status": 404,
        "headers": {"content-type": "application/json; charset=utf-8"},
        "response": {"error": {"code": "ResourceNotFound", "message": NOT_FOUND}},
        **differently,
    }


def write(folder: Path, *exchanges: dict[str, Any]) -> Path:
    file = folder / "test_made_up.json"
    file.write_text(json.dumps(exchanges), encoding="utf-8")
    return file


GROUP_IS_THERE = exchange(path=f"{VAULT}s", status=200, response={"value": []})
GROUP_IS_THERE["path"] = f"{GROUP}/providers/Microsoft.RecoveryServices/vaults"


def test_an_answer_of_the_same_shape_matches(tmp_path: Path) -> None:
    run = play("made up", load(write(tmp_path, GROUP_IS_THERE, exchange())))

    assert [played.verdict for played in run.played] == [Verdict.MATCHED, Verdict.MATCHED]


def test_another_word_differs_and_is_told_with_its_place(tmp_path: Path) -> None:
    other = exchange(response={"error": {"code": "NotThere", "message": NOT_FOUND}})

    run = play("made up", load(write(tmp_path, GROUP_IS_THERE, other)))

    assert [d.where for d in run.played[1].differences] == ["body.error.code"]


def test_a_missing_key_and_one_too_many_differ(tmp_path: Path) -> None:
    other = exchange(response={"error": {"code": "ResourceNotFound", "text": NOT_FOUND}})

    run = play("made up", load(write(tmp_path, GROUP_IS_THERE, other)))

    assert sorted(d.where for d in run.played[1].differences) == [
        "body.error.message",
        "body.error.text",
    ]


def test_a_host_outside_azure_is_not_applicable_by_name(tmp_path: Path) -> None:
    run = play("made up", load(write(tmp_path, exchange(host="raw.githubusercontent.com"))))

    assert run.played[0].reason == "host githubusercontent.com is not Azure Resource Manager"


def test_a_provider_that_azsim_lacks_is_not_applicable_by_name(tmp_path: Path) -> None:
    network = exchange(path=f"{GROUP}/providers/Microsoft.Network/azureFirewalls", status=200)

    run = play("made up", load(write(tmp_path, network)))

    assert run.played[0].reason == "Microsoft.Network: azurefirewalls is not simulated"


def test_the_last_line_sums_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write(tmp_path, GROUP_IS_THERE, exchange(status=200))

    code = main([str(file)])

    last = capsys.readouterr().out.splitlines()[-1]
    assert last == "total exchanges=2 matched=1 differing=1 not_applicable=0"
    assert code == 2


def test_json_says_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write(tmp_path, GROUP_IS_THERE, exchange())

    code = main(["--json", str(file)])

    total = json.loads(capsys.readouterr().out)["total"]
    assert total == {"exchanges": 2, "matched": 2, "differing": 0, "not_applicable": 0}
    assert code == 0


def test_a_file_that_is_not_there_is_a_usage_error(tmp_path: Path) -> None:
    assert main([str(tmp_path / "nothing.json")]) == 64


@pytest.mark.skipif(not SHARED.is_dir(), reason="no recordings beside this repository (../shared)")
def test_recorded_traffic_matches_at_least_as_often_as_before() -> None:
    runs = play_files(sorted(SHARED.glob("test_*.json")))
    floor = json.loads(FLOOR.read_text(encoding="utf-8"))

    everything, ours = counts(runs), counts(runs, PROVIDER)

    assert everything["exchanges"] == floor["exchanges"], "other recordings: set a new floor"
    assert everything["matched"] >= floor["matched"], as_text(runs)
    assert ours["matched"] >= floor["matched_recovery_services"], as_document(runs)
    assert ours["differing"] <= floor["differing_recovery_services"], as_document(runs)
