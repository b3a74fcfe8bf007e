"""Studies carried out: killed at any moment, two at once, on Dask's workers, with points that fail."""

from __future__ import annotations

import fcntl
import math
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest

import longhaul as lh
from longhaul.studies import carrying
from longhaul.studies.carrying import Parcel, carry_out
from longhaul.studies.commissions import Commission, Done
from longhaul.studies.crews import Crew, NoCrew
from longhaul.studies.luggage import Luggage
from longhaul.studies.store import Record, Store
from tests.study.conftest import Desk

MANY = """\
  links.*.distance: {range: [10mi, 1000mi], spacing: logarithmic, steps: 20}
  accelerators.H100.mfu: {range: [0.3, 0.5], steps: 25}
"""
FEW = "  links.*.distance: [10mi, 100mi, 500mi, 1000mi]\n"
MODEL = "depth: model\nsample: {points: 2}\n"
FORECASTS = 500
KILLS, AT_ONCE, STORED = 20, 13, 4


@pytest.mark.slow
def test_a_study_killed_twenty_times_at_random_moments_ends_with_the_same_results(
    desk: Desk,
    tmp_path_factory: pytest.TempPathFactory,
    kernel: Path,  # noqa: ARG001
) -> None:
    """As it starts, among forecasts, among runs: wherever it is struck, what is missing is made, and nothing else comes
    out."""
    desk.write("many", MANY, MODEL)
    undisturbed = Desk(tmp_path_factory.mktemp("undisturbed"))
    undisturbed.write("many", MANY, MODEL)
    status, _, said = undisturbed.do("run", "many.yaml", "--jobs", "2")
    assert status == 0, said
    chance = random.Random(1)
    known = [_struck(desk, waits, chance) for waits in _moments(chance)]
    assert known == sorted(known)  # nothing that was stored is lost
    assert any(0 < count < FORECASTS for count in known), known
    assert known[-1] >= FORECASTS
    status, _, said = desk.do("run", "many.yaml", "--jobs", "2")
    assert status == 0, said
    assert desk.results("many").read_bytes() == undisturbed.results("many").read_bytes()
    rows = pl.read_parquet(desk.results("many"))
    assert rows.group_by("depth", "status").len().sort("depth").rows() == [
        ("fabric", "done", 2),
        ("model", "done", FORECASTS),
    ]


def _moments(chance: random.Random) -> list[Moment]:
    """What each kill waits for: forecasts that this very process has stored, nothing, a run under way. The first are
    quick, so that forecasts are left for the next."""
    begun = Moment(1.0, lambda pid, *_: bool(_begun(pid, "\0run\0")))
    early = [*[Moment(3.0, lambda *_: True)] * AT_ONCE, *[begun] * (KILLS - AT_ONCE - STORED)]
    chance.shuffle(early)
    return [*[Moment(0.1, _stored)] * STORED, *early]


@dataclass(frozen=True)
class Moment:
    """Up to so many seconds after something: of a process, records before it began, records now."""

    within_s: float
    after: Callable[[int, int, int], bool]


def _stored(_: int, before: int, now: int) -> bool:
    return now > before


def _struck(desk: Desk, moment: Moment, chance: random.Random) -> int:
    """Begin the study, kill it at a moment; how many records there are then. A quick machine may be through before."""
    before = _records(desk)
    process = desk.begin("run", "many.yaml", "--jobs", "2")
    while process.poll() is None and not moment.after(process.pid, before, _records(desk)):
        time.sleep(0.05)
    time.sleep(chance.uniform(0, moment.within_s))
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode in (0, -signal.SIGKILL)
    return _records(desk)


def _store(desk: Desk) -> Path:
    return desk.path / "runs" / "studies" / "records.sqlite"


def _records(desk: Desk) -> int:
    """How many are stored."""
    path = _store(desk)
    if not path.exists():
        return 0
    with closing(sqlite3.connect(path, timeout=60)) as base:
        known = base.execute(
            "SELECT count(*) FROM sqlite_master WHERE name = 'records'"
        ).fetchone()[0]
        return int(base.execute("SELECT count(*) FROM records").fetchone()[0]) if known else 0


def test_a_study_holds_nothing_that_would_outlive_its_being_killed(desk: Desk) -> None:
    """Neither a process nor a name in /dev/shm: one `kill -9` of the study alone ends all of it."""
    desk.write("many", MANY.replace("steps: 25", "steps: 200"), MODEL)
    process = desk.begin("run", "many.yaml", "--jobs", "2")
    workers = _grown(process.pid, 2)
    mapped = "".join(Path(f"/proc/{pid}/maps").read_text() for pid in (process.pid, *workers))
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert "python" in mapped
    assert "/dev/shm" not in mapped
    until = time.monotonic() + 60
    while alive := [pid for pid in workers if _runs(pid)]:
        assert time.monotonic() < until, alive
        time.sleep(0.05)


def _grown(pid: int, count: int) -> list[int]:
    """The processes that a study has begun to make forecasts, once there are so many."""
    until = time.monotonic() + 120
    while time.monotonic() < until:
        if len(found := _begun(pid, "spawn_main")) == count:
            return found
        time.sleep(0.05)
    raise AssertionError("no forecasts began")


def _begun(pid: int, word: str) -> list[int]:
    """The processes that another has begun, with a word on their command lines."""
    lists = [one.read_text() for one in Path(f"/proc/{pid}/task").glob("*/children")]
    children = [int(number) for text in lists for number in text.split()]
    return [one for one in children if word in _command(one)]


def _command(pid: int) -> str:
    """Its words; none of a process that has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


def _runs(pid: int) -> bool:
    """Whether it is there, and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.slow
def test_two_studies_at_once_make_each_run_once_and_both_have_it(desk: Desk, kernel: Path) -> None:  # noqa: ARG001
    for name in ("one", "other"):
        desk.write(name, FEW, "keep: all\n")
    begun = [desk.begin("run", f"{name}.yaml", "--jobs", "2") for name in ("one", "other")]
    told = [process.communicate() for process in begun]
    assert [process.returncode for process in begun] == [0, 0], told
    one, other = (pl.read_parquet(desk.results(name)) for name in ("one", "other"))
    assert one.equals(other)
    assert one["status"].to_list() == ["done"] * 4
    folders = [*(desk.path / "runs" / "studies").glob("*/runs/*-1")]
    assert len(folders) == 4  # of both studies together: nobody made one again
    status, out, _ = desk.do("status", "one.yaml")
    assert (status, out) == (0, "runs: 4 of 4 done, 0 failed, not under way\n")


def test_a_run_is_claimed_until_it_is_stored(tmp_path: Path) -> None:
    """Else another study, which looks in between, would make it again."""
    held = []

    class Watched(Store):
        def write(self, records: Iterable[tuple[str, Record]]) -> None:
            with (tmp_path / "claims" / "key").open("rb") as claim:
                try:
                    fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    held.append(True)
            super().write(records)

    future: Future[Done] = Future()
    future.set_result(Done(Record({"iterations.p50_s": 1.0})))
    crew = Crew(1, travels=False, forecast=lambda _: Future(), run=lambda _: future)
    files = Luggage(tmp_path, None, "")
    piece = Parcel(("key",), Commission(files, (), (), 1))
    store = Watched(tmp_path / "records.sqlite")
    carry_out([piece], carrying.Desk(crew, store, tmp_path / "claims"), lambda *_: None, math.inf)
    assert held == [True]
    assert store.read(["key"])["key"].figures == {"iterations.p50_s": 1.0}
    assert not list((tmp_path / "claims").iterdir())


EACH_TRIAL = """\
CREATE TABLE trials (failed INTEGER);
CREATE TRIGGER first AFTER INSERT ON records BEGIN INSERT INTO trials VALUES (new.failed); END;
CREATE TRIGGER again AFTER UPDATE ON records BEGIN INSERT INTO trials VALUES (new.failed); END;
"""
"""Has the store note each record that is written."""


@pytest.mark.slow
def test_a_point_that_fails_is_recorded_with_its_reason_and_the_study_goes_on(
    desk: Desk,
    kernel: Path,  # noqa: ARG001
) -> None:
    desk.write("huge", "  workload.model.parameters: [125e6, 125e12]\n", "")
    status, out, said = desk.do("run", "huge.yaml")
    assert status == 0, said
    rows = pl.read_parquet(desk.results("huge")).sort("workload.model.parameters")
    assert rows["status"].to_list() == ["done", "failed"]
    assert "does not fit" in rows["reason"][1]
    assert "1 row failed" in out
    with closing(sqlite3.connect(_store(desk), timeout=60)) as base:
        base.executescript(EACH_TRIAL)
        assert desk.do("run", "huge.yaml")[0] == 0
        assert base.execute("SELECT * FROM trials").fetchall() == [], "neither is tried again"
        status, _, said = desk.do("run", "huge.yaml", "--retry-failed")
        assert status == 0
        assert "1 of 2 done" in said
        assert base.execute("SELECT failed FROM trials").fetchall() == [(1,)]


@pytest.mark.slow
def test_a_budget_leaves_points_out_and_says_how_many(desk: Desk, kernel: Path) -> None:  # noqa: ARG001
    desk.write("few", FEW, "keep: none\n")
    status, out, said = desk.do("run", "few.yaml", "--points", "2")
    assert status == 0, said
    rows = pl.read_parquet(desk.results("few"))
    assert rows.group_by("status").len().sort("status").rows() == [("done", 2), ("missing", 2)]
    done = rows.filter(pl.col("status") == "done")["links.*.distance"] / 1609.344
    assert sorted(done.to_list()) == pytest.approx([10, 1000])  # the ends come first
    assert "2 of 4 rows are still missing" in out
    assert not (desk.path / "runs" / "studies" / "few" / "runs").exists()


@pytest.mark.slow
def test_extremes_keep_their_run_folders_and_the_page_links_to_them(
    desk: Desk,
    kernel: Path,  # noqa: ARG001
) -> None:
    desk.write("kept", FEW, "keep: extremes\n")
    assert desk.do("run", "kept.yaml", "--jobs", "2")[0] == 0
    place = desk.path / "runs" / "studies" / "kept"
    kept = sorted(path.name for path in (place / "runs").iterdir())
    assert len(kept) == 2
    page = (place / "study.html").read_text()
    assert all(f'href="runs/{name}/report.html"' in page for name in kept)
    assert all((place / "runs" / name / "report.html").is_file() for name in kept)


@contextmanager
def dask(*words: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process of Dask's own command line."""
    command = [str(Path(sys.executable).with_name("dask")), *words, "--no-dashboard"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.kill()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.mark.slow
def test_on_dask_s_workers_of_which_one_is_killed_meanwhile_the_results_are_those_of_this_machine(
    desk: Desk,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    kernel: Path,  # noqa: ARG001
) -> None:
    desk.write("far", FEW + "  links.*.age: [0y, 20y]\n", "keep: all\n")
    address = f"tcp://127.0.0.1:{free_port()}"
    scheduler = ("scheduler", "--host", "127.0.0.1", "--port", address.rpartition(":")[2])
    worker = (
        "worker",
        address,
        "--nthreads",
        "1",
        "--no-nanny",
        "--local-directory",
        str(tmp_path),
    )
    monkeypatch.chdir(desk.path)
    with ExitStack() as stack:
        stack.enter_context(dask(*scheduler))
        killed = stack.enter_context(dask(*worker))
        stack.enter_context(dask(*worker))
        struck: list[int] = []

        def strike(heard: object) -> None:
            if not struck and heard.tally.done:  # type: ignore[attr-defined]
                killed.kill()
                struck.append(heard.tally.done)  # type: ignore[attr-defined]

        found = _when_ready(address, strike)
    assert struck
    assert struck[0] < 8
    monkeypatch.undo()
    rows = found.results
    assert rows["status"].to_list() == ["done"] * 8
    folders = sorted(path.name for path in (desk.path / found.path / "runs").iterdir())
    assert len(folders) == 8
    assert all(
        (desk.path / found.path / "runs" / name / "report.html").is_file() for name in folders
    )
    (desk.path / "runs").rename(desk.path / "there")
    assert desk.do("run", "far.yaml", "--jobs", "2")[0] == 0
    assert pl.read_parquet(desk.results("far")).equals(rows)


def _when_ready(address: str, hear: object) -> lh.StudyResults:
    """Once the scheduler answers and has both workers."""
    from distributed import Client

    with Client(address, timeout=60) as client:
        client.wait_for_workers(2, timeout=60)
    found = lh.study("far.yaml").run(dask=address, hear=hear)  # type: ignore[arg-type]
    _ = found.results, found.findings
    return found


def test_a_scheduler_that_is_not_there_is_said_in_one_line(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.write("far", FEW, "")
    monkeypatch.chdir(desk.path)
    with pytest.raises(NoCrew, match="no scheduler answers at"):
        lh.study("far.yaml").run(dask=f"tcp://127.0.0.1:{free_port()}")
