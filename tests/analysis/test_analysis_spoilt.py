"""Run folders that `make fuzz` found: each ended in a traceback once."""

import io
import json
import shutil
from pathlib import Path

import pytest

from analysis.errors import RunError
from analysis.export.perfetto import write_trace
from analysis.run import load_run
from analysis.terminal.console import Terminal
from longhaul.shown.inspection import print_run
from tests.analysis.make_run import make_run, trained, uniform


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = make_run(tmp_path / "run", uniform())
    trained(made)
    return made


def test_another_table_in_the_place_of_the_telemetry_lacks_columns(folder: Path) -> None:
    shutil.copy(folder / "events.parquet", folder / "telemetry.parquet")
    with pytest.raises(RunError, match=r"telemetry\.parquet: lacks the columns interface"):
        write_trace(load_run(folder), io.StringIO())


@pytest.mark.parametrize("value", [1e30, 7, None, True, [1, 2], {"a": 1}, "\x1b[31m"])
def test_a_manifest_may_say_anything(folder: Path, value: object) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(dict.fromkeys(manifest, value)))
    out = io.StringIO()
    print_run(folder, Terminal(file=out, width=200, highlight=False, markup=False))
    assert "seed" in out.getvalue()
    assert "\x1b" not in out.getvalue()
