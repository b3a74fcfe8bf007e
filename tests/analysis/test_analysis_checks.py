"""Claims are held against evidence; a path that leads nowhere is told with the nearest ones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import polars as pl
import pytest

from analysis.checks.evidence import Echo, Evidence, dropped, evidence
from analysis.checks.figures import every_path, figure, steps_of, unit_of
from analysis.checks.ruling import rule_on
from analysis.export.junit import JunitCase, junit
from analysis.findings.summary import write_summary
from analysis.form.parts import Check
from analysis.form.summary import summary_schema
from scenario.errors import WrongInput
from scenario.types.checks import (
    Bounds,
    DigestClaim,
    FaithfulClaim,
    FigureClaim,
    LinkClaim,
    PingClaim,
)
from tests.analysis.make_run import make_run, uniform

WHERE: dict[str, Any] = {"file": "t.yaml", "line": 3, "column": 5}
GOODPUT = Check("c1-c2 goodput c1→c2", 50e6, 49e6, -0.02, "Bps", 0.01, False, "c1-c2", "goodput")
RTT = Check("c1-c2 RTT", 174e-6, 174e-6, 0.0, "s", 0.01, True, "c1-c2", "rtt")
FOUND = Evidence(
    summary={"iterations": {"p50_s": 3.2}, "digest": "3576a6be00", "list": [{"x": 1}]},
    fidelity=(RTT, GOODPUT),
    drops={"c1-c2": 21, "c1-c3": 0},
    scale=1000.0,
    echoes=(Echo("c1-a-1", "c2-a-1", 174e-6), Echo("c1-a-1", "c2-a-1", None, "cut", 1.0)),
    campus_of={"c1-a-1": "c1", "c2-a-1": "c2"},
)


def figure_claim(path: str, bounds: Bounds) -> FigureClaim:
    return FigureClaim(
        name="f", kind="iteration", path=path, quantity="time", bounds=bounds, **WHERE
    )


def link_claim(measure: Any, links: str, bounds: Bounds) -> LinkClaim:
    return LinkClaim(name="l", kind=measure, measure=measure, links=links, bounds=bounds, **WHERE)


def ping_claim(**more: Any) -> PingClaim:
    told = {"name": "p", "kind": "reach", "sources": ("c1",), "sinks": ("c2-*",)} | WHERE | more
    return PingClaim(**told)


def test_a_figure_holds_up_to_its_bound_and_no_further() -> None:
    assert rule_on(figure_claim("iterations.p50_s", Bounds(most=3.2)), FOUND).ok is True
    told = rule_on(figure_claim("iterations.p50_s", Bounds(most=3.1999)), FOUND)
    assert (told.ok, told.value, told.found) == (False, 3.2, "3.2 s")
    assert rule_on(figure_claim("iterations.p50_s", Bounds(least=3.3)), FOUND).ok is False


def test_a_figure_that_the_run_does_not_have_does_not_hold() -> None:
    told = rule_on(figure_claim("iterations.p99_s", Bounds(most=9)), FOUND)
    assert told.ok is None
    assert not told.holds


def test_goodput_is_the_real_world_s() -> None:
    """49 MB/s carried, a thousandth of the real rate, are 392 Gbit/s."""
    assert rule_on(link_claim("goodput", "*", Bounds(least=392e9)), FOUND).ok is True
    assert rule_on(link_claim("goodput", "*", Bounds(least=393e9)), FOUND).ok is False
    assert rule_on(link_claim("goodput", "c1-c3", Bounds(least=1)), FOUND).ok is None


def test_drops_of_a_pattern_are_those_of_all_its_links_together() -> None:
    assert rule_on(link_claim("drops", "c1-*", Bounds(most=20)), FOUND).ok is False
    assert rule_on(link_claim("drops", "c1-*", Bounds(most=21)), FOUND).ok is True
    assert rule_on(link_claim("drops", "c1-c3", Bounds(most=0)), FOUND).ok is True


def test_echoes_are_those_of_the_moment_that_is_meant() -> None:
    assert rule_on(ping_claim(), FOUND).ok is True
    assert rule_on(ping_claim(during="cut", after_s=1.0), FOUND).ok is False
    assert rule_on(ping_claim(during="cut", after_s=1.0, answered=False), FOUND).ok is True
    assert rule_on(ping_claim(answered=False), FOUND).ok is False
    assert rule_on(ping_claim(during="other", after_s=1.0), FOUND).ok is None


def test_several_pairs_are_as_slow_as_the_slowest_and_as_wrong_as_the_worst() -> None:
    pairs = [("c1-a-1", "c2-a-1", 174e-6), ("c1-a-2", "c2-a-1", 174e-6), ("c1-a-3", "c2-a-1", 0.01)]
    found = replace(
        FOUND,
        echoes=[Echo(*pair) for pair in pairs],
        campus_of={"c1-a-1": "c1", "c1-a-2": "c1", "c1-a-3": "c1", "c2-a-1": "c2"},
    )
    assert rule_on(ping_claim(), found).value == 0.01
    told = rule_on(ping_claim(bounds=Bounds(most=200e-6)), found)
    assert (told.ok, told.found) == (False, "c1-a-3 → c2-a-1: 10 ms")


def test_a_round_trip_between_hosts_has_bounds() -> None:
    assert rule_on(ping_claim(bounds=Bounds(most=200e-6)), FOUND).ok is True
    assert rule_on(ping_claim(bounds=Bounds(most=100e-6)), FOUND).ok is False


def test_a_digest_is_held_by_its_first_digits() -> None:
    claim = DigestClaim(name="d", kind="digest", digest="3576a6be", **WHERE)
    assert rule_on(claim, FOUND).ok is True
    assert rule_on(replace(claim, digest="3576a6bf"), FOUND).ok is False
    assert rule_on(claim, Evidence()).ok is None


def test_faithful_names_what_is_not() -> None:
    claim = FaithfulClaim(name="f", kind="faithful", **WHERE)
    assert "goodput" in rule_on(claim, FOUND).found
    assert rule_on(claim, replace(FOUND, fidelity=(RTT,))).ok is True
    assert rule_on(claim, Evidence()).ok is None


def test_evidence_comes_from_a_run_folder(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", uniform(4))
    write_summary(run)
    found = evidence(run, (), {})
    assert figure(found.summary, "iterations.p50_s")
    assert found.fidelity


def test_drops_are_counted_to_the_end_and_over_both_ports(tmp_path: Path) -> None:
    rows = [
        ("c1-c2", "c1-b-eth1", "long-haul", 0), ("c1-c2", "c1-b-eth1", "long-haul", 7),
        ("c1-c2", "c2-b-eth1", "long-haul", 3), ("c1-l1", "c1-l1-eth1", "fabric", 99),
    ]  # fmt: skip
    schema = ["link", "interface", "kind", "drops"]
    pl.DataFrame(rows, schema=schema, orient="row").write_parquet(tmp_path / "t.parquet")
    assert dropped(tmp_path / "t.parquet") == {"c1-c2": 10}


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("iteration.p50_s", "did you mean iterations?"),
        ("iterations.p50", "did you mean iterations.p50_s?"),
        ("sync_wait_s", "there is stalls.sync_wait_s"),
        ("iterations", "iterations is no number"),
        ("iterations[0]", "iterations is no list"),
        ("digest", "digest is no number"),
        ("a b", "not the path"),
        ("", "missing"),
        (".a", "not the path"),
        ("__import__('os')", "not the path"),
    ],
)
def test_a_path_that_leads_to_no_number_is_told_before_any_run(path: str, said: str) -> None:
    with pytest.raises(WrongInput) as caught:
        unit_of(path, summary_schema())
    assert said in str(caught.value)


def test_every_path_of_the_schema_is_one() -> None:
    schema = summary_schema()
    paths = list(every_path(schema))
    assert len(paths) > 100
    for path in paths:
        unit_of(path, schema)
        assert steps_of(path)


def test_junit_counts_failures_and_escapes() -> None:
    cases = [
        JunitCase("a", True, ""),
        JunitCase("b", False, "5 < 6 & \x1b[31m", "t.yaml", 7),
        JunitCase("c", None, "nothing"),
    ]
    root = ElementTree.fromstring(junit([("t.yaml", cases)]))
    assert root.attrib == {"tests": "3", "failures": "1", "errors": "1"}
    failure = root.find("testsuite/testcase[@name='b']/failure")
    assert failure is not None
    assert failure.get("message") == "5 < 6 & [31m"
    assert failure.text == "t.yaml:7"
