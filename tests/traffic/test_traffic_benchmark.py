"""A benchmark's cases and programs, and the words that ask for them."""

import argparse
from dataclasses import replace
from itertools import pairwise

import pytest

from longhaul.verbs.bench import size, sizes
from scenario.types.topology import Collective
from tests.fabric.planned import plan_of
from traffic.benchmark import Benchmark, carried, cases, prepare
from traffic.collectives import ELEMENT_BYTES
from traffic.host.program import Program

PLAN = plan_of("""
campuses:
  c1: {hosts: [{count: 2, accelerator: H100, nics: 1, nic: 1Gbit/s}]}
  c2: {hosts: [{count: 1, accelerator: H100, nics: 1, nic: 1Gbit/s}]}
links:
  c1-c2: {between: [c1, c2], delay: 1ms, rate: 1Gbit/s}
""")
BENCHMARK = Benchmark(
    name="bench",
    source="here",
    algorithms=("ring", "auto", "hierarchical"),
    sizes_bytes=(1, 5, 120_000, 1_200_000),
    iterations=3,
    warmup=1,
    collective=Collective(),
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1K:16K:x4", (1024, 4096, 16384)),
        ("1K:17K:×4", (1024, 4096, 16384)),
        ("1M:4M:1M", (2**20, 2 * 2**20, 3 * 2**20, 4 * 2**20)),
        ("1000,4KiB,2.5MB", (1000, 4096, 2_500_000)),
        ("1G", (2**30,)),
        ("8:8:x2", (8,)),
    ],
)
def test_sizes_are_read_as_nccl_tests_has_them_or_with_units(
    text: str, expected: tuple[float, ...]
) -> None:
    assert sizes(text) == expected


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("1K:1M", "is not FIRST:LAST:STEP"),
        ("1K:1M:x1", "never ends"),
        ("1M:1K:x2", "ends before it begins"),
        ("1:1M:1", "more than 100 sizes"),
        ("big", "a size such as"),
        ("0", "is no size"),
        ("1K:1M:xx", "is not a whole number"),
    ],
)
def test_sizes_that_are_none_are_refused(text: str, complaint: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match=complaint):
        sizes(text)


def test_a_single_size_may_have_a_fraction() -> None:
    assert size("1.5K") == 1536


def test_carried_sizes_are_whole_elements_for_each_rank_and_at_least_one() -> None:
    assert carried(PLAN, 1) == 3 * ELEMENT_BYTES
    assert carried(PLAN, 120_000) == 120_000
    assert carried(replace(PLAN, scale_bytes=100), 120_000) == 1200


def test_sizes_that_are_carried_alike_are_measured_once_by_every_algorithm() -> None:
    found = [(case.asked, case.collective.size_bytes) for case in cases(BENCHMARK, PLAN)]
    assert found == [
        (asked, size) for size in (12, 120_000, 1_200_000) for asked in BENCHMARK.algorithms
    ]


def test_auto_is_no_slower_than_what_it_was_to_choose_from() -> None:
    for small in range(0, 9, 3):
        ring, auto, hierarchical = cases(BENCHMARK, PLAN)[small : small + 3]
        assert auto.predicted_s <= 1.1 * min(ring.predicted_s, hierarchical.predicted_s)


def test_every_case_waits_for_a_barrier_and_the_barrier_for_the_case_before() -> None:
    prepared = prepare(BENCHMARK, PLAN, seed=1)
    assert set(prepared.programs) == {host.name for host in PLAN.hosts}
    for assigned in prepared.programs.values():
        program: Program = assigned.program
        tasks = program.tasks
        assert len(tasks) == 2 * 9
        assert tasks[0].after == ()
        assert [task.after for task in tasks[1:]] == [(number,) for number in range(17)]
        assert program.iterations == 4
    for before, case in pairwise(prepared.about["cases"]):
        assert before["size_bytes"] <= case["size_bytes"]
        assert case["predicted_s"] > 0


def test_an_algorithm_that_is_not_there_is_named() -> None:
    with pytest.raises(ValueError, match="'rign' is not an algorithm for all_reduce"):
        prepare(replace(BENCHMARK, algorithms=("rign",)), PLAN, seed=1)


def test_a_host_alone_is_refused() -> None:
    alone = replace(PLAN, hosts=PLAN.hosts[:1])
    with pytest.raises(ValueError, match="needs two hosts"):
        prepare(BENCHMARK, alone, seed=1)


def test_algorithms_that_come_to_the_same_messages_are_named() -> None:
    two = plan_of("""
campuses:
  c1: {hosts: [{count: 2, accelerator: H100}]}
""")
    asked = ("ring", "direct", "bruck", "tree")
    gather = replace(BENCHMARK, collective=Collective(op="all_gather"), algorithms=asked[:3])
    about = prepare(gather, two, 1).about
    assert {(c["algorithm"], c["same_as"]) for c in about["cases"]} == {
        ("ring", None), ("direct", "ring"), ("bruck", "ring"),
    }  # fmt: skip
    # Pairwise waits for more before its second message, which makes no other message of it.
    both = prepare(replace(BENCHMARK, algorithms=("ring", "pairwise")), two, 1).about
    assert {(c["algorithm"], c["same_as"]) for c in both["cases"]} == {
        ("ring", None), ("pairwise", "ring"),
    }  # fmt: skip
    trees = prepare(replace(BENCHMARK, algorithms=("ring", "tree")), two, 1).about
    assert {(c["algorithm"], c["same_as"], c["same_order"]) for c in trees["cases"]} == {
        ("ring", None, True),
        ("tree", "ring", False),
        ("tree", None, True),  # of a size that trees cut into segments
    }
    on_three = prepare(replace(BENCHMARK, algorithms=("ring", "tree")), PLAN, 1).about
    assert {c["same_as"] for c in on_three["cases"]} == {None}
