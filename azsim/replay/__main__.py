"""
`python -m azsim.replay FILE…`: say for each recording what matches, what differs and what is n/a.

The last line is `total exchanges=N matched=N differing=N not_applicable=N`; `--json` prints one
document with the same facts. Exit code 0 when nothing differs, 2 when something does, 64 on usage.
"""

import json
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from azsim.replay.player import Run, Verdict, play_files

_USAGE = "usage: python -m azsim.replay [--json] FILE..."


def main(arguments: Sequence[str]) -> int:
    as_json = "--json" in arguments
    files = [Path(text) for text in arguments if text != "--json"]
    if not files or any(not file.is_file() for file in files):
        print(_USAGE, file=sys.stderr)
        return 64
    runs = play_files(files)
    print(json.dumps(as_document(runs), indent=1) if as_json else as_text(runs))
    return 2 if any(run.count(Verdict.DIFFERING) for run in runs) else 0


def counts(runs: Sequence[Run], provider: str = "") -> dict[str, int]:
    """Return the four numbers; those of one resource provider where one is named."""
    by_verdict = {
        verdict.value: sum(run.count(verdict, provider) for run in runs) for verdict in Verdict
    }
    return {"exchanges": sum(by_verdict.values()), **by_verdict}


def as_text(runs: Sequence[Run]) -> str:
    lines = []
    for run in runs:
        lines.append(f"{run.name} {_numbers([run])}")
        for played in run.played:
            for difference in played.differences:
                exchange = played.exchange
                lines.append(f"  #{exchange.index} {exchange.method} {exchange.path}")
                lines.append(f"      {difference}")
        reasons = Counter(p.reason for p in run.played if p.verdict is Verdict.NOT_APPLICABLE)
        lines += [
            f"  not applicable x{count}: {reason}" for reason, count in sorted(reasons.items())
        ]
    return "\n".join([*lines, f"total {_numbers(runs)}"])


def _numbers(runs: Sequence[Run]) -> str:
    return " ".join(f"{name}={count}" for name, count in counts(runs).items())


def as_document(runs: Sequence[Run]) -> dict[str, Any]:
    return {
        "files": [
            {
                "name": run.name,
                **counts([run]),
                "differences": [
                    {
                        "index": played.exchange.index,
                        "method": played.exchange.method,
                        "path": played.exchange.path,
                        "differences": [
                            {"where": d.where, "recorded": d.recorded, "ours": d.ours}
                            for d in played.differences
                        ],
                    }
                    for played in run.played
                    if played.verdict is Verdict.DIFFERING
                ],
                "not_applicable_reasons": dict(
                    Counter(p.reason for p in run.played if p.verdict is Verdict.NOT_APPLICABLE)
                ),
            }
            for run in runs
        ],
        "total": counts(runs),
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
