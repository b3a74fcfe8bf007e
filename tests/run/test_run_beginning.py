"""Ways to begin: a topology from a few words, and starter files. Nothing here starts a fabric."""

from __future__ import annotations

from pathlib import Path

import pytest

from longhaul.cli import main, parser
from longhaul.planning import make_plan
from longhaul.verbs.new import KINDS
from longhaul.verbs.shape import settle
from scenario.loading import load_topology, load_workload


@pytest.fixture(autouse=True)
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_few_words_stand_for_a_topology() -> None:
    line = (
        "run --campuses 3 --hosts 4,2,1 --distance 20km --age 12y --condition damp --rate 800Gbit/s"
    )
    words = parser().parse_args([*line.split(), "--accelerator", "H100,GB200,GB200"])
    assert settle(words) is None
    topology = load_topology(words.topology)
    assert [len(campus.hosts) for campus in topology.campuses] == [4, 2, 1]
    chips = [campus.hosts[0].accelerator.name for campus in topology.campuses]
    assert chips == ["H100", "GB200", "GB200"]
    assert [link.name for link in topology.links] == ["c1-c2", "c1-c3", "c2-c3"]
    link = topology.links[0]
    assert (link.distance_m, link.condition, link.forward.rate_bps) == (20_000, "damp", 8e11)
    assert link.age_s == pytest.approx(12 * 31557600)


def test_their_yaml_is_printed_and_is_that_topology(
    desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["plan", "--campuses", "2", "--hosts", "3", "--age", "5y"]
    assert main([*words, "--yaml"]) == 0
    file = desk / "printed.yaml"
    file.write_text(capsys.readouterr().out)
    assert main(words) == 0
    (written,) = (desk / "runs" / "inputs").iterdir()
    assert written.read_text() == file.read_text()
    assert len(make_plan(load_topology(file)).hosts) == 6


def test_one_campus_has_no_links() -> None:
    words = parser().parse_args(["plan", "--campuses", "1", "--hosts", "5"])
    settle(words)
    assert load_topology(words.topology).links == ()


def test_sixteen_campuses_are_a_topology() -> None:
    words = parser().parse_args(["plan", "--campuses", "16"])
    settle(words)
    assert len(load_topology(words.topology).links) == 120


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("plan", "name a topology file, or say how many --campuses"),
        ("plan --hosts 3", "go with --campuses"),
        ("plan t.yaml --campuses 3", "one of the two"),
        ("plan --campuses 3 --hosts 1,2", "2 for 3 campuses"),
        ("plan --campuses 3 --accelerator H1000", "did you mean H100?"),
        ("plan --campuses 17", "1 to 16"),
        ("plan --campuses 2 --distance 10", "a bare number where a distance needs its unit"),
        ("plan --campuses 2 --age 3parsecs", "age"),
    ],
)
def test_words_that_stand_for_nothing_are_refused(
    line: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        status = main(line.split())
    except SystemExit as ended:
        status = int(ended.code or 0)
    assert status == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("kind", KINDS)
def test_a_starter_file_is_well_formed_and_never_written_over(
    kind: str, desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["new", "topology"]) == 0  # which the study names
    file = desk / "My First.yaml"
    assert main(["new", kind, "-o", str(file)]) == 0
    assert main(["validate", str(file)]) == 0
    assert "name: my-first\n" in file.read_text()
    assert f"longhaul validate {file}" in file.read_text()
    file.write_text("mine")
    assert main(["new", kind, "-o", str(file)]) == 2
    assert "there already" in capsys.readouterr().err
    assert file.read_text() == "mine"


def test_what_a_starter_suggests_is_well_formed_too(desk: Path) -> None:
    """Each commented line that is YAML is one that can be uncommented."""
    assert main(["new", "topology"]) == 0
    lines = (desk / "topology.yaml").read_text().splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("longhaul:"))
    told = [line.replace("# ", "", 1) if _suggests(line) else line for line in lines[start:]]
    (desk / "topology.yaml").write_text("\n".join(told) + "\n")
    topology = load_topology(desk / "topology.yaml")
    assert topology.timeline
    assert topology.workloads
    assert topology.links[0].forward.loss == 1e-5
    assert any(host.slowdown == 1.5 for campus in topology.campuses for host in campus.hosts)
    assert main(["new", "workload"]) == 0
    assert load_workload(desk / "workload.yaml").checks


def _suggests(line: str) -> bool:
    """Whether a comment is YAML: a key, or an entry of a list."""
    bare = line.strip()
    return bare.startswith("# ") and not bare[2:3].isupper() and (":" in bare or "- " in bare)
