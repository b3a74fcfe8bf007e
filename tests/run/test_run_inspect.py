"""`longhaul inspect`: a topology's objects as they are elaborated, and what a run folder holds."""

import json
from dataclasses import asdict
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from longhaul.cli import main
from longhaul.shown.inspection import print_topology
from scenario.loading import load_topology

from .conftest import ROOT, Runs

TOPOLOGIES = ROOT / "topologies"


def _told(capsys: pytest.CaptureFixture[str], *words: str | Path) -> str:
    assert main(["inspect", *map(str, words)]) == 0
    return capsys.readouterr().out


def _shown(path: Path, *overrides: str) -> str:
    """The tables of a topology, with room for whole cells."""
    out = Console(file=StringIO(), width=200)
    print_topology(load_topology(path, overrides), out)
    assert isinstance(out.file, StringIO)
    return out.file.getvalue()


def _json(capsys: pytest.CaptureFixture[str], *words: str | Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(_told(capsys, *words, "--format", "json"))
    return found


def test_json_is_the_elaborated_topology(capsys: pytest.CaptureFixture[str]) -> None:
    path = TOPOLOGIES / "brownout.yaml"
    found = _json(capsys, path, "--set", "links.c1-c2.condition=waterlogged")
    expected = {"kind": "topology"} | asdict(
        load_topology(path, ["links.c1-c2.condition=waterlogged"])
    )
    assert found == json.loads(json.dumps(expected))
    assert found["links"][0]["forward"]["rate_bps"] == 0.4e12


def test_a_table_shows_hosts_links_and_timeline() -> None:
    told = _shown(TOPOLOGIES / "brownout.yaml", "links.c2-c3.backward.loss=1%")
    for said in (
        "c1-h100-1…3",
        "c1 ↔ c2",
        "12 years,",
        "1.6 Tbit/s",
        "c3 → c2",
        "blackout",
        "campus c2 without power",
        "at 18 s for 1.5 s",
    ):
        assert said in told, said


def test_events_by_chance_are_told_with_their_odds() -> None:
    told = _shown(TOPOLOGIES / "flapping.yaml")
    assert "at random, 3 s apart on average for 20 ms on average" in told
    assert "every 700 ms from 700 ms, 3 x 25 ms, 60 ms apart" in told


def test_hosts_that_differ_are_told_apart() -> None:
    odd = "campuses.c1.hosts[0].exceptions={2: {gpus: 4}, 3: {slowdown: 2}}"
    told = _shown(TOPOLOGIES / "colossus.yaml", odd)
    assert "c1-h100-2   " in told
    assert "4 x H100   " in told
    assert "1…2" in told


def test_a_run_folder_says_what_ran_and_what_came_of_it(
    runs: Runs, capsys: pytest.CaptureFixture[str]
) -> None:
    done = runs("links", "verified")
    found = _json(capsys, done.folder)
    assert found["state"] == "finished"
    assert found["verdict"]["digest"] == done.summary["digest"]
    assert found["manifest"]["seed"] == 1
    assert {"report.html", "events.parquet", "logs/console.log"} <= {
        file["name"] for file in found["files"]
    }
    told = _told(capsys, done.folder)
    assert done.summary["digest"] in told
    assert "faithful" in told


def test_a_run_that_died_is_told_to_have(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "x.failed"
    (folder / "logs").mkdir(parents=True)
    (folder / "manifest.json").write_text('{"half')
    found = _json(capsys, folder)
    assert (found["state"], found["verdict"], found["manifest"]) == ("not finished", None, None)
    assert "not finished" in _told(capsys, folder)


@pytest.mark.parametrize("what", ["", "no-such.yaml"])
def test_what_is_neither_is_refused(
    what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["inspect", str(tmp_path / what)]) == 2
    assert (what or str(tmp_path)) in capsys.readouterr().err


def test_what_a_file_says_is_text_and_not_markup(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "marked.yaml"
    said, site = "see [/srv/notes] [bold]x", "hall [north]"
    campus = f"{{site: '{site}', hosts: [{{count: 2, accelerator: H100}}]}}"
    file.write_text(
        f"longhaul: 1\nname: marked\ndescription: '{said}'\ncampuses:\n  c1: {campus}\n"
    )
    for verb in ("plan", "inspect"):
        assert main([verb, str(file)]) == 0
        told = capsys.readouterr().out
        assert said in told
    assert site in told
