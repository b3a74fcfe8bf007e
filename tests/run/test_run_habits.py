"""Conventions that all verbs keep: JSON, files, variables. Nothing here starts a fabric."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from longhaul.cli import main, parser
from longhaul.shown.progress import Pace
from longhaul.verbs.variables import options, variable, verbs_of, with_variables

ROOT = Path(__file__).parents[2]
TWO_HOSTS = str(ROOT / "topologies" / "two-hosts.yaml")
SILENT = {"completion", "up", "schema", "new"}
"""Verbs whose output has a form of its own."""


def test_every_verb_that_prints_can_print_json() -> None:
    for name, made in verbs_of(parser()).items():
        if name not in SILENT and made._subparsers is None:
            forms = [a.choices for a in made._actions if "--format" in a.option_strings]
            assert forms, name
            assert "json" in (forms[0] or ()), name


def test_every_verb_that_writes_takes_o() -> None:
    for name, made in verbs_of(parser()).items():
        if name not in {"completion", "up", "exec"} and made._subparsers is None:
            assert any("-o" in action.option_strings for action in made._actions), name


@pytest.mark.parametrize(
    "words",
    [
        ("plan", TWO_HOSTS), ("inspect", TWO_HOSTS), ("graph", TWO_HOSTS), ("validate", TWO_HOSTS),
        ("aging", "--distance", "16km"), ("schedule", "ring"), ("doctor",),
    ],
    ids=lambda words: words[0],
)  # fmt: skip
def test_json_is_one_document_on_standard_output_or_in_a_file(
    words: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main([*words, "--format", "json"])
    printed = capsys.readouterr().out
    main([*words, "--format", "json", "-o", str(tmp_path / "out.json")])
    assert capsys.readouterr().out == ""
    if words[0] != "doctor":  # it looks at what is free just now
        assert json.loads(printed) == json.loads((tmp_path / "out.json").read_text())


def test_text_goes_to_a_file_without_colours(tmp_path: Path) -> None:
    assert main(["plan", TWO_HOSTS, "-o", str(tmp_path / "plan.txt")]) == 0
    text = (tmp_path / "plan.txt").read_text()
    assert "c1-h100-1" in text
    assert "\x1b" not in text


def test_validate_says_in_json_what_is_well_and_what_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text("longhaul: 1\nnam: x\n")
    assert main(["validate", TWO_HOSTS, str(bad), "--format", "json"]) == 2
    told = json.loads(capsys.readouterr().out)
    assert told["files"] == [{"file": TWO_HOSTS, "holds": "2 campuses, 2 hosts"}]
    keys = {"file", "line", "column", "message", "hint", "path", "found", "expected", "excerpt"}
    assert all(one.keys() == keys for one in told["errors"])
    said = {"message": "unknown key", "line": 2, "column": 1, "hint": "did you mean name?"}
    assert any(said.items() <= one.items() for one in told["errors"])


def test_a_variable_stands_for_an_option_and_the_command_line_goes_first() -> None:
    top, said = parser(), {"LONGHAUL_SEED": "7", "LONGHAUL_QUIET": "yes", "LONGHAUL_REST": "0"}
    words, heard = with_variables(top, ["run", "t.yaml", "--time", "real"], said)
    assert words == ["run", "--quiet", "--seed=7", "t.yaml", "--time", "real"]
    assert heard == ["LONGHAUL_QUIET", "LONGHAUL_SEED"]
    assert top.parse_args(words).seed == 7
    words, _ = with_variables(top, ["run", "t.yaml", "--seed", "8"], said)
    assert top.parse_args(words).seed == 8


def test_a_verb_of_a_verb_hears_variables_too() -> None:
    top = parser()
    words, heard = with_variables(top, ["study", "run", "s.yaml"], {"LONGHAUL_JOBS": "3"})
    assert (words, heard) == (["study", "run", "--jobs=3", "s.yaml"], ["LONGHAUL_JOBS"])
    assert top.parse_args(words).jobs == 3


def test_a_variable_that_makes_no_sense_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LONGHAUL_SEED", "x")
    with pytest.raises(SystemExit) as ended:
        main(["run", TWO_HOSTS])
    assert ended.value.code == 2
    assert "LONGHAUL_SEED" in capsys.readouterr().err


def test_what_names_one_run_has_no_variable() -> None:
    named = {variable(option) for _, option in options(verbs_of(parser())["run"])}
    assert {"LONGHAUL_SEED", "LONGHAUL_PROBE_INTERVAL", "LONGHAUL_FORMAT"} <= named
    assert not {"LONGHAUL_OUT", "LONGHAUL_SET", "LONGHAUL_HELP", "LONGHAUL_FAIL_IF"} & named


def test_progress_says_how_long_the_rest_will_take() -> None:
    now = iter([10.0, 14.0, 16.0, 99.0])
    pace = Pace(lambda: next(now))
    assert pace.left(2, 12) == ""
    assert pace.left(4, 12) == ", about 16 s left"
    assert pace.left(5, 1205) == ", about 40 min left"
    assert pace.left(12, 12) == ""
