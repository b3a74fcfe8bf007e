"""Events of the timeline: what each cost, who is blamed where several strike at once, how they are drawn."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from analysis.errors import RunError
from analysis.findings.incidents import Cost, Incident, costs, incidents
from analysis.pictures.bands import Band, bands, event_picture
from analysis.run import Run, load_run
from analysis.terminal.training import print_summary
from tests.analysis.make_run import Link, Scenario, happened, make_run, trained

HOSTS: dict[str, tuple[str, ...]] = {"a": ("GB200",) * 3, "b": ("GB200",) * 3, "c": ("GB200",) * 2}
LINKS = (
    Link("a", "b", 100e-6, 5e6),
    Link("b", "c", 100e-6, 5e6),
    Link("a", "c", 120e-6, 5e6),
)
STEP_S = 0.42
"""Compute of an iteration; the collective takes about 0.5 s more."""


def run_of(tmp_path: Path, **changes: Any) -> Run:
    """Three campuses without jitter: an iteration is untouched, or something was planted in it."""
    plain: dict[str, Any] = {"hosts": HOSTS, "links": LINKS, "jitter": 0.0, "iterations": 9}
    return load_run(make_run(tmp_path / "run", Scenario(**plain | changes)))


def begins(run: Run, iteration: int) -> float:
    """When an iteration begins, seconds."""
    before = run.events.filter(run.events["iteration"] == iteration - 1)
    return float(before["end_ns"].max()) / 1e9  # type: ignore[arg-type]


def planted(tmp_path: Path, rows: Any, **changes: Any) -> dict[str, Cost]:
    """Costs by name; `rows` makes the timeline from the run without it."""
    quiet = run_of(tmp_path / "quiet", **changes)
    run = run_of(tmp_path / "loud", **changes, happened=tuple(rows(quiet)))
    return {one.incident.name: one for one in costs(run)}


def test_a_planted_flap_is_blamed_and_nothing_else(tmp_path: Path) -> None:
    def rows(run: Run) -> list[dict[str, Any]]:
        at = begins(run, 4) + STEP_S
        return [
            happened("flap", at, at + 0.2, kind="link-flap", links=["a-b"]),
            happened("other-link", at, at + 0.2, links=["b-c"]),
            happened("hot", at - 0.1, at + 0.2, kind="throttle", hosts=["b-01"]),
            happened("elsewhere", begins(run, 6), begins(run, 6) + 0.1, links=["a-b"]),
        ]

    found = planted(
        tmp_path, rows, held_up={(2, 4): 0.3}
    )  # rank 2 is the last of a, 3 the first of b
    assert found["flap"].cost_s == pytest.approx(0.3, rel=0.01)
    assert found["flap"].touched == (4,)
    assert found["flap"].beyond == 1
    for name in ("other-link", "hot", "elsewhere"):
        assert found[name].cost_s == pytest.approx(0, abs=0.003), name


def test_a_planted_throttle_is_blamed_and_nothing_else(tmp_path: Path) -> None:
    def rows(run: Run) -> list[dict[str, Any]]:
        at = begins(run, 3)
        return [
            happened("hot", at, at + 0.3, kind="throttle", hosts=["b-01"]),
            happened("cool", at, at + 0.3, kind="throttle", hosts=["b-02"]),
            happened("cut", at, at + 0.3, links=["a-b", "b-c", "a-c"]),
        ]

    found = planted(tmp_path, rows, throttled={(4, 3): 2.0})
    # Others send a message or two ahead meanwhile, so not all of the lateness is lost.
    assert 0.8 * STEP_S < (found["hot"].cost_s or 0) < STEP_S
    assert found["cool"].cost_s == pytest.approx(0, abs=1e-6)
    assert found["cut"].cost_s == pytest.approx(0, abs=0.003)


def test_a_straggler_that_no_event_explains_is_not_blamed_on_one(tmp_path: Path) -> None:
    def rows(run: Run) -> list[dict[str, Any]]:
        return [happened("cut", begins(run, 6), begins(run, 6) + 0.1, links=["a-b"])]

    found = planted(tmp_path, rows, slowdown={5: 1.5})
    assert found["cut"].cost_s == pytest.approx(0, abs=1e-6)


def test_where_nothing_is_to_be_seen_the_excess_is_shared_equally(tmp_path: Path) -> None:
    def rows(run: Run) -> list[dict[str, Any]]:
        at = begins(run, 4)
        return [happened(name, at, at + 0.5, kind="controller-crash") for name in "xy"]

    found = planted(tmp_path, rows, held_up={(2, 4): 0.3})
    assert found["x"].cost_s == found["y"].cost_s == pytest.approx(0.15, rel=0.01)
    assert (found["x"].together, found["y"].together) == (("y",), ("x",))


def test_what_happens_elsewhere_is_not_charged_beside_what_was_waited_for(tmp_path: Path) -> None:
    """Two hosts are hot, of which one alone is late; and the controller crashes, which no packet minds."""

    def rows(run: Run) -> list[dict[str, Any]]:
        at = begins(run, 3)
        return [
            happened("hot", at, at + 0.3, kind="throttle", hosts=["b-01"]),
            happened("warm", at, at + 0.3, kind="throttle", hosts=["c-01"]),
            happened("crash", at, at + 0.3, kind="controller-crash"),
        ]

    found = planted(tmp_path, rows, throttled={(4, 3): 2.0, (6, 3): 1.2})
    assert 0.8 * STEP_S < (found["hot"].cost_s or 0) < STEP_S
    assert found["warm"].cost_s == found["crash"].cost_s == 0
    assert {one.together for one in found.values()} == {()}


def test_an_event_without_an_end_touches_all_that_follows(tmp_path: Path) -> None:
    def rows(run: Run) -> list[dict[str, Any]]:
        return [happened("for-ever", begins(run, 5), None, links=["a-b"])]

    assert planted(tmp_path, rows)["for-ever"].touched == (5, 6, 7, 8)


def test_without_an_untouched_iteration_no_cost_is_made_up(tmp_path: Path) -> None:
    found = planted(tmp_path, lambda _: [happened("always", 0, None, links=["a-b"])])
    assert found["always"].cost_s is None


def test_occurrences_of_one_name_are_one_incident(tmp_path: Path) -> None:
    rows = (happened("flap", 2.0, 2.1), happened("cut", 1.5, 1.6), happened("flap", 1.0, 1.1))
    found = incidents(run_of(tmp_path, happened=rows))
    assert [one.name for one in found] == ["flap", "cut"]
    assert found[0].spans_ns == ((10**9, 1_100_000_000), (2 * 10**9, 2_100_000_000))


def test_what_begins_after_the_run_is_left_out(tmp_path: Path) -> None:
    assert incidents(run_of(tmp_path, happened=(happened("late", 1e6, None),))) == []


def test_a_cut_is_blamed_where_the_policy_leads_traffic_not_where_the_way_is_shortest(
    tmp_path: Path,
) -> None:
    """From a to b over c, though the link between them is the shortest way."""

    def rows(run: Run) -> list[dict[str, Any]]:
        at = begins(run, 4) + STEP_S
        return [
            happened("shortest", at, at + 0.2, kind="link-flap", links=["a-b"]),
            happened("taken", at, at + 0.2, kind="link-flap", links=["a-c"]),
        ]

    detours = {("a", "b"): ("a-c", "b-c")}
    found = planted(tmp_path, rows, held_up={(2, 4): 0.3}, detours=detours)
    assert found["taken"].cost_s == pytest.approx(0.3, rel=0.01)
    assert found["shortest"].cost_s == pytest.approx(0, abs=0.003)


def test_events_are_in_the_summary_the_headline_the_terminal_and_the_page(tmp_path: Path) -> None:
    from analysis.report.page import write_report

    quiet = run_of(tmp_path / "quiet", held_up={(2, 4): 2.0})
    at = begins(quiet, 4) + STEP_S
    rows = (happened("flap<b>", at, at + 0.2, links=["a-b"]),)
    path = run_of(tmp_path / "loud", held_up={(2, 4): 2.0}, happened=rows).path
    summary = trained(path)
    assert summary.timeline[0].cost_s == pytest.approx(2, rel=0.01)
    assert "flap<b> (flap<b> happens) cost 2 s" in summary.headline
    out = io.StringIO()
    print_summary(path, Console(file=out, width=80, highlight=False))
    assert "1 (1 late)" in out.getvalue()
    page = write_report(path).read_text()
    assert "What happened meanwhile" in page
    assert "flap<b>" not in page


def test_a_run_in_which_nothing_happened_says_nothing_of_it(tmp_path: Path) -> None:
    from analysis.report.page import write_report

    path = run_of(tmp_path).path
    assert trained(path).timeline == []
    assert "What happened meanwhile" not in write_report(path).read_text()


def test_a_broken_timeline_is_told_with_its_place(tmp_path: Path) -> None:
    path = make_run(tmp_path / "run")
    (path / "timeline.json").write_text(json.dumps([{"name": "x"}]))
    with pytest.raises(
        RunError, match=r"timeline\.json: \$\[0\]: Object missing required field kind"
    ):
        load_run(path)


def incident(name: str, *spans: tuple[int, int], **struck: tuple[str, ...]) -> Incident:
    return Incident(name, "x", name, spans, struck.get("links", ()), struck.get("hosts", ()))


def test_bands_that_overlap_lie_in_different_rows() -> None:
    found = bands(
        [
            incident("a", (0, 5000), (9000, 10000)),
            incident("b", (4000, 8000), hosts=("two",)),
            incident("c", (5000, 6000), links=("l",)),
            incident("past", (20000, 30000)),
        ],
        1000, 12000, ["one", "two"],
    )  # fmt: skip
    assert found == (
        Band("a", "a", 0, 4, 0, ()),
        Band("b", "b", 3, 7, 1, (1,)),
        Band("c", "c", 4, 5, 0, ()),
        Band("a", "a", 8, 9, 0, ()),
    )


def test_the_picture_for_paper_keeps_to_its_axis_and_says_what_it_leaves_out(
    tmp_path: Path,
) -> None:
    rows = tuple(happened(f"e{i}", 0.1 * i, 0.1 * i + 0.05) for i in range(20))
    run = run_of(tmp_path, happened=rows)
    picture = event_picture(run, costs(run))
    assert picture is not None
    assert len(picture.rows) == 16
    assert picture.left_out == 4
    for box in [*picture.iterations, *(box for row in picture.rows for box in row.boxes)]:
        assert box.x >= 164
        assert box.x + box.width <= 1152
