"""Remedies: what each changes in a run, and that none is asked for twice."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from analysis.form.attribution import Amount, Remedied
from analysis.series.verdict import EQUAL, verdict
from longhaul.planning import make_plan
from longhaul.runs.workloads import DEFAULT
from longhaul.trials.attribution import Question
from longhaul.trials.remedies import _greedily, _helpful, of_rdma, remedies
from longhaul.trials.series import Trial, TrialFailed
from scenario.factors import load_without
from scenario.loading import load_topology, load_workload
from scenario.types.topology import Training

COLOSSUS = Path("topologies/colossus.yaml")
ACTUAL = Trial(COLOSSUS, DEFAULT)
WORKLOAD = load_workload(DEFAULT)
assert isinstance(WORKLOAD, Training)
KNOWN = remedies(load_without(COLOSSUS, (), ("aging",)), WORKLOAD)


def test_every_remedy_makes_another_run_of_colossus() -> None:
    digests = {one.name: one.applied(ACTUAL).digest() for one in KNOWN}
    assert len({ACTUAL.digest(), *digests.values()}) == len(KNOWN) + 1


@pytest.mark.parametrize(
    ("topology", "offered"),
    [("tests/run/equal-ways.yaml", True), ("topologies/two-hosts.yaml", False)],
)
def test_connections_can_be_pinned_where_there_are_equal_ways(topology: str, offered: bool) -> None:
    assert isinstance(WORKLOAD, Training)
    names = [one.name for one in remedies(load_topology(Path(topology)), WORKLOAD)]
    assert ("pinned connections" in names) == offered


def test_new_fibre_is_the_run_without_aging() -> None:
    fibre = next(one for one in KNOWN if one.name == "new fibre")
    assert fibre.applied(ACTUAL) == Trial(COLOSSUS, DEFAULT, without=("aging",))


def test_more_spans_carry_twice_as_much_as_old_as_they_are() -> None:
    spans = next(one for one in KNOWN if one.name == "more spans")
    before = load_topology(COLOSSUS).links
    after = load_topology(COLOSSUS, spans.overrides).links
    assert [link.forward.rate_bps for link in after] == [
        2 * link.forward.rate_bps for link in before
    ]


def test_the_order_of_factors_makes_no_other_run() -> None:
    one = Trial(COLOSSUS, DEFAULT, without=("aging", "distance"))
    other = Trial(COLOSSUS, DEFAULT, without=("distance", "aging"))
    assert one.digest() == other.digest()
    assert one.digest() != Trial(COLOSSUS, DEFAULT, without=("aging",)).digest()
    assert one.digest() != Trial(COLOSSUS, DEFAULT, without=one.without, seed=2).digest()


def test_a_campus_is_leased_out_by_training_on_the_others() -> None:
    lease = next(one for one in KNOWN if one.name == "lease out c2")
    found = load_workload(DEFAULT, lease.workload_overrides)
    assert found.on == ("c1", "c3")


def remedy(name: str, share: float, **changes: Any) -> Remedied:
    worth = Amount(amount=100.0, currency="USD")
    known = Remedied(
        name=name,
        says="",
        parts=[],
        leases=False,
        learns_alike=True,
        saved_s=1.0,
        interval_s=None,
        share=share,
        worth_per_day=worth,
        money=None,
        faithful=True,
        why_not=None,
    )
    return msgspec.structs.replace(known, **changes)


def test_the_verdict_is_what_frees_most_gpu_time() -> None:
    fibre, lease = remedy("new fibre", 0.2), remedy("lease out c1", 0.3, leases=True)
    assert verdict([fibre, lease]) == (
        f"Lease: to lease out c1 frees 30 % of the computing, more than new fibre: 20 %. {EQUAL}"
    )
    less = remedy("lease out c1", -0.1, leases=True)
    assert verdict([fibre, less]) == (
        "Mend: new fibre frees 20 % of the computing, and pays if it costs less than 36,500 USD a year"
        f" (to lease out c1: −10 %). {EQUAL}"
    )


def test_what_cannot_be_had_or_trusted_or_felt_is_no_verdict() -> None:
    had: list[Remedied] = [
        remedy("a", 0.3, faithful=False),
        remedy("b", 0.3, why_not="no"),
        remedy("c", 0.3, learns_alike=False),
        remedy("d", 0.009),
    ]
    assert verdict(had) == f"Leave it: no remedy frees 1.0 % of the computing. {EQUAL}"


ROCE = Path("topologies/roce-ten-miles.yaml")


def test_adapters_have_remedies_of_their_own_each_another_run_of_the_topology_s_own_workload() -> (
    None
):
    question = Question(ROCE, None, (), (), (), seeds=1, jobs=1)
    workload, actual = question.training(), question.trial((), 1)
    assert workload
    assert workload.transport.kind == "roce"
    own = of_rdma(load_without(ROCE, (), ("aging",)))
    digests = {one.name: one.applied(actual).digest() for one in own}
    alike = {name for name, digest in digests.items() if digest == actual.digest()}
    assert alike == {"DCQCN", "headroom for the distance"}  # it has DCQCN, and pauses nothing
    assert len(set(digests.values())) == len(own) - 1


@pytest.mark.parametrize(
    ("scenario", "unmarked"),
    [("lossless", ["lossless"]), ("shallow", ["shallow"]), ("ten-miles", [])],
)
def test_where_switches_mark_nothing_dcqcn_comes_with_marks(
    scenario: str, unmarked: list[str]
) -> None:
    path = Path(f"topologies/roce-{scenario}.yaml")
    by_name = {one.name: one for one in of_rdma(load_without(path, (), ()))}
    for name in ("DCQCN", "campuses apart"):
        marks = [text for text in by_name[name].overrides if ".ecn=" in text]
        assert [text.split(".")[1] for text in marks] == unmarked
    assert ("marked nothing" in by_name["DCQCN"].says) == bool(unmarked)


def test_headroom_for_the_distance_is_what_the_formula_asks_for() -> None:
    lossless = Path("topologies/roce-lossless.yaml")
    (remedy,) = (
        one for one in of_rdma(load_without(lossless, (), ())) if one.name.startswith("headroom")
    )
    before, after = (make_plan(load_topology(lossless, text)) for text in ((), remedy.overrides))
    (far, near) = (
        max(
            end.shape.port.headroom_bytes
            for end in next(iter(plan.long_hauls())).ends
            if end.shape.port
        )
        for plan in (after, before)
    )
    assert near < 200_000
    assert far > 1_500_000  # 34 MB, divided by 20


def test_among_several_workloads_what_trains_is_mended_and_the_others_go_on() -> None:
    question = Question(Path("topologies/roce-victims.yaml"), None, (), (), (), seeds=1, jobs=1)
    actual = question.trial((), 1)
    workload = question.training()
    assert workload
    assert workload.name == "train"
    assert "--set-workload=train:warmup=3" in actual.arguments()
    own = {one.name: one for one in of_rdma(load_without(actual.topology, (), ()))}
    mended = own["selective repeat"].applied(actual)
    assert "--set-workload=train:transport=tcp" in mended.arguments()
    slower = replace(actual, overrides=("workloads.checkpoint.rate=1Gbit/s",))
    assert len({one.digest() for one in (actual, mended, slower)}) == 3


def test_the_factor_transport_trains_over_tcp() -> None:
    question = Question(ROCE, None, (), (), ("transport",), seeds=1, jobs=1)
    _, workload = question.trial(("transport",), 1).read()
    assert workload.transport.kind == "tcp"
    assert "--workload" not in question.trial((), 1).arguments()


def test_patience_goes_to_each_run_and_makes_no_other_run_of_it() -> None:
    hasty, patient = (
        Question(ROCE, None, (), (), (), seeds=1, jobs=1, patience_s=wait).trial((), 1)
        for wait in (300.0, 1800.0)
    )
    assert not [word for word in hasty.arguments() if "patience" in word]
    assert "--patience=1800" in patient.arguments()
    assert patient.digest() == hasty.digest()


def test_a_failed_run_tells_its_reason_in_a_line() -> None:
    said = "reading\nbrief.yaml:1:1: error: no such thing\n  hint  none\n"
    error = TrialFailed(ACTUAL, said)
    assert error.reason == "no such thing"
    assert "longhaul run topologies/colossus.yaml" in str(error)


def test_remedies_that_set_the_same_thing_are_not_combined() -> None:
    by_name = {one.name: one for one in KNOWN}
    overlap, shares = by_name["overlap"], by_name["proportional shares"]
    assert overlap.goes_with(shares)
    assert not overlap.goes_with(by_name["pipeline by campus"])
    assert not overlap.goes_with(by_name["lease out c1"])
    both = overlap.beside(shares)
    assert both.parts == ("overlap", "proportional shares")
    assert both.applied(ACTUAL).workload_overrides == (
        *overlap.workload_overrides,
        *shares.workload_overrides,
    )


def test_the_best_is_combined_with_the_next_best_that_does_not_undo_it_and_never_twice() -> None:
    freed = {"proportional shares": 0.4, "overlap": 0.1, "pipeline by campus": 0.05, "BBR": 0.01}
    found = [remedy(name, share) for name, share in freed.items()]
    helpful = _helpful(KNOWN, found)
    assert [one.name for one in helpful] == list(freed)
    twos = _greedily(helpful, found)
    assert [one.parts[0] for one in twos] == ["proportional shares"] * 3
    assert [one.parts[1] for one in twos] == ["overlap", "pipeline by campus", "BBR"]
    found += [remedy(one.name, 0.45 - n / 100, parts=list(one.parts)) for n, one in enumerate(twos)]
    threes = _greedily(helpful, found)
    assert [one.parts for one in threes] == [("proportional shares", "overlap", "BBR")]
