"""The files that analysis writes: one definition each, described, with a version; damage is told in one line."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from analysis.errors import RunError
from analysis.form.summary import VERSION, read_summary, summary_schema
from tests.analysis.make_run import make_run, trained, uniform


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder with its summary."""
    path = make_run(tmp_path_factory.mktemp("form") / "run", uniform())
    trained(path)
    return path


@pytest.fixture
def stored(run: Path) -> Iterator[Path]:
    """The folder, whose summary may be changed."""
    text = (run / "summary.json").read_text()
    yield run
    (run / "summary.json").write_text(text)


def changed(run: Path, **keys: Any) -> None:
    """Change keys of the summary; None takes one away."""
    found = json.loads((run / "summary.json").read_text()) | keys
    kept = {key: value for key, value in found.items() if value is not None}
    (run / "summary.json").write_text(json.dumps(kept))


def test_what_is_written_is_read_back_the_same(run: Path) -> None:
    assert read_summary(run) == trained(run)


def test_the_file_holds_its_version(run: Path) -> None:
    assert json.loads((run / "summary.json").read_text())["version"] == VERSION


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"version": None}, "no version, of an older longhaul .*python -m analysis report RUN"),
        ({"version": 0}, "version 0, of an older longhaul"),
        ({"version": VERSION + 1}, f"version {VERSION + 1}, of a newer longhaul"),
        ({"stalls": None}, "missing required field stalls"),
        ({"stalls": {"compute_s": "long"}}, r"\$\.stalls\.compute_s: Expected float, got str"),
        ({"kind": "dancing"}, "dancing"),
    ],
)
def test_another_version_and_damage_are_refused_in_plain_words(
    stored: Path, keys: dict[str, Any], said: str
) -> None:
    changed(stored, **keys)
    with pytest.raises(RunError, match=f"summary.json: .*{said}") as error:
        read_summary(stored)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("verb", ["show", "inspect", "export"])
@pytest.mark.parametrize("text", ['{"version": 1, "kind": "trai', "", "[1]", "\x00"])
def test_verbs_tell_a_damaged_summary_in_one_line(stored: Path, verb: str, text: str) -> None:
    (stored / "summary.json").write_text(text)
    words = ["--format", "csv"] if verb == "export" else []
    command = [sys.executable, "-m", "longhaul", verb, str(stored), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    assert done.stderr.count("\n") == 1
    assert "summary.json: " in done.stderr


def test_every_key_is_described_in_the_schema() -> None:
    for name, form in summary_schema()["$defs"].items():
        assert form["description"], name
        for key, field in form["properties"].items():
            assert key == "kind" or field.get("description"), f"{name}.{key}"


def test_seconds_have_their_unit_in_the_schema() -> None:
    iterations = summary_schema()["$defs"]["Tail"]["properties"]
    assert iterations["p99_s"]["unit"] == "s"


def test_the_definition_costs_neither_polars_nor_rich() -> None:
    says = "import sys, analysis.form; print({'polars', 'rich', 'numpy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", says], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
