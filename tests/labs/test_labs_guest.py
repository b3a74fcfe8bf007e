"""Students' code is held in a guest: what never ends, takes all memory, prints without end or forges answers
harms nobody."""

from __future__ import annotations

from pathlib import Path

import pytest

from longhaul.labs import calls
from longhaul.labs.calls import Call

pytestmark = pytest.mark.usefixtures("kernel")
CODE = """
import os, sys

def fine(x): print("noise"); return {"twice": [2 * x]}
def wrong(): return 1 / 0
def leaves(): sys.exit(3)
def forges(): os.write(1, b"longhaul-lab-answer {\\n"); return 5
def sees(): return [os.path.exists("/root/.ssh"), os.path.exists("answers.yaml"), os.getcwd() != "/"]
def greedy(): return len(bytearray(50 * 2**30))
def forever():
    while True: pass
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "code.py").write_text(CODE)
    return tmp_path / "code.py"


def called(file: Path, *names: str, **arguments: object) -> list[calls.Answered]:
    return calls.carry_out({"code.py": file}, [Call("code.py", name, arguments) for name in names])


@pytest.mark.slow
def test_answers_come_back_and_errors_say_where(file: Path) -> None:
    assert called(file, "fine", x=21)[0].value == {"twice": [42]}
    wrong, leaves, sees, greedy = called(file, "wrong", "leaves", "sees", "greedy")
    assert "ZeroDivisionError" in wrong.error
    assert "line 5" in wrong.error
    assert "SystemExit" in leaves.error
    assert sees.value == [False, False, True]
    assert greedy.error


@pytest.mark.slow
def test_what_never_ends_is_ended(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "SILENCE_S", 5.0)
    (answer,) = called(file, "forever")
    assert answer.error.startswith("it did not return")


@pytest.mark.slow
def test_a_forged_answer_is_no_more_than_an_answer(file: Path) -> None:
    assert called(file, "forges")[0].error == "it returned no JSON"


def test_a_file_that_does_not_compile_is_told(file: Path) -> None:
    file.write_text("def fine(:\n")
    assert "SyntaxError" in called(file, "fine")[0].error


def test_what_is_called_like_a_module_of_ours_is_not_carried_out_here(tmp_path: Path) -> None:
    """The command that starts the guest stands in the folder with the student's files."""
    trap = tmp_path / "trap.py"
    trap.write_text(f"open({str(tmp_path / 'sprung')!r}, 'w')\ndef fine(): return 1\n")
    names = ("longhaul.py", "scenario.py", "analysis.py", "yaml.py", "argparse.py")
    answers = calls.carry_out(dict.fromkeys(names, trap), [Call("analysis.py", "fine", {})])
    assert len(answers) == 1
    assert not (tmp_path / "sprung").exists()
