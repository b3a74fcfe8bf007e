"""Run folders of others: a good one with a file or two spoilt, read by every verb that reads one.

Apart from the other kinds, as whoever forks must not have Polars in memory: its threads are not in the child.
"""

from __future__ import annotations

import json
import os
import random
import shutil
from pathlib import Path

from longhaul.cli import main
from tests.fuzz import mutating

SPOILT = (".json", ".parquet", ".jsonl", ".html")
EXPORTS = ("perfetto", "csv", "markdown", "openmetrics", "hdr")


class Folders:
    """Run folders of others: a good one, named by `LONGHAUL_FUZZ_RUN`, with a file or two spoilt; read by every verb
    that reads one."""

    def __init__(self) -> None:
        self.good = Path(os.environ["LONGHAUL_FUZZ_RUN"])
        self.files = sorted(f for f in self.good.rglob("*") if f.is_file() and f.suffix in SPOILT)

    def answer(self, seed: int, folder: Path) -> str:
        chance = random.Random(seed)
        run = folder / "run"
        shutil.copytree(self.good, run)
        for _ in range(chance.choice((1, 1, 2))):
            self._spoil(run / chance.choice(self.files).relative_to(self.good), chance)
        status = main(chance.choice(self._verbs(run, folder)))
        assert status in (0, 1, 2), f"status {status}"
        return ""

    def _verbs(self, run: Path, folder: Path) -> list[list[str]]:
        made = str(folder / "made")
        exports = [["export", str(run), "--format", one, "--out", made] for one in EXPORTS]
        compared = ["compare", str(run), str(self.good)]
        return [["show", str(run)], ["inspect", str(run)], compared, *exports]

    def _spoil(self, file: Path, chance: random.Random) -> None:
        how = chance.randrange(10)
        if not file.is_file():
            return
        data = file.read_bytes()
        file.unlink()
        if how == 0:
            return
        if how == 1:
            file.mkdir()
        elif how == 2:
            file.symlink_to(file.name)
        elif how == 3:
            file.write_bytes(data[: chance.randrange(len(data) + 1)])
        elif how == 4:
            file.write_bytes(chance.choice(self.files).read_bytes())
        elif file.suffix == ".json" and how < 9 and _is_json(data):
            file.write_bytes(mutating.as_json(mutating.changed(json.loads(data), chance)))
        else:
            file.write_bytes(mutating.damaged(data, chance))


def _is_json(data: bytes) -> bool:
    """Whether it has not been spoilt before."""
    try:
        json.loads(data)
    except ValueError:
        return False
    return True
