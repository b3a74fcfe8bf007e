"""Somebody's own controller, in the real fabric."""

from pathlib import Path

import pytest

from tests.controller.networks import longhaul
from tests.fabric.planned import ROOT

HERE = Path(__file__).parent
TRIANGLE = ROOT / "bench" / "triangle.yaml"
LEARNING = HERE.parents[1] / "labs" / "solutions" / "07-policy" / "switch.py"

pytestmark = pytest.mark.usefixtures("kernel")


def ping(*words: str | Path) -> tuple[int, str, str]:
    command = ("exec", TRIANGLE, "--set", "routing=none", "--hosts", "c1-h100-1", *words)
    return longhaul(*command, "--", "ping", "-c", "2", "-i", "0.2", "10.2.1.1")


@pytest.mark.slow
def test_an_application_written_for_ryu_controls_a_fabric_with_loops() -> None:
    status, out, complaint = ping("--controller", LEARNING)
    assert status == 0, complaint
    assert " 0% packet loss" in out
    assert "DUP" not in out


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("import ryu.nothing_of_that_name\n", "No module named 'ryu.nothing_of_that_name'"),
        ("answer = 42\n", "has no class of OSKenApp's (RyuApp's) kind"),
        ("def broken(:\n", "SyntaxError"),
    ],
    ids=["import", "no-application", "syntax"],
)
def test_what_is_wrong_with_an_application_is_said_plainly(
    text: str, says: str, tmp_path: Path
) -> None:
    file = tmp_path / "mine.py"
    file.write_text(text)
    status, _, complaint = ping("--controller", file)
    assert status == 1
    assert complaint.startswith("longhaul: the controller ended at its start")
    assert says in complaint


def test_an_application_that_is_no_file_is_refused_at_once() -> None:
    status, _, complaint = ping("--controller", "nowhere.py")
    assert status == 2
    assert "'nowhere.py' is no Python file" in complaint
