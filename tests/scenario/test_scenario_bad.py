"""Every bad file has the exact complaint that stands beside it.

`LONGHAUL_REGENERATE=1 pytest tests/scenario` writes the complaints anew; read the difference.
"""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from scenario.loading import load_topology, load_workload
from scenario.text.diagnostics import InvalidInput

BAD = Path(__file__).with_name("bad")
FILES = sorted(BAD.glob("*.yaml"))


def _load(path: Path) -> Callable[[Path], object]:
    return load_workload if path.name.startswith("workload-") else load_topology


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_bad_file_has_exactly_this_complaint(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(BAD)
    with pytest.raises(InvalidInput) as caught:
        _load(file)(Path(file.name))
    golden = file.with_suffix(".txt")
    if os.environ.get("LONGHAUL_REGENERATE"):
        golden.write_text(f"{caught.value}\n", encoding="utf-8")
    assert f"{caught.value}\n" == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("file", sorted(BAD.glob("*.txt")), ids=lambda file: file.stem)
def test_a_complaint_holds_nothing_that_commands_a_terminal(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert all(line.isprintable() for line in text.splitlines())


def test_there_is_a_complaint_for_each_bad_file_and_no_other() -> None:
    assert {path.stem for path in FILES} == {path.stem for path in BAD.glob("*.txt")}
    assert len(FILES) >= 60


def test_complaints_are_plain_objects_for_programs() -> None:
    with pytest.raises(InvalidInput) as caught:
        load_topology(BAD / "everything-at-once.yaml")
    objects = json.loads(json.dumps(caught.value.to_json()))
    assert [one["line"] for one in objects] == sorted(one["line"] for one in objects)
    assert {"file", "line", "column", "path", "found", "expected", "hint"} <= set(objects[0])
