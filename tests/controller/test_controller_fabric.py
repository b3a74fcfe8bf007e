"""The real fabric does what the tables say: everybody hears from everybody exactly once, and packets
take the spans that a policy claims, as counted on the interfaces."""

import json
import math
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest
from _pytest.mark import ParameterSet

from bench import guests
from scenario.plan import forwarding
from scenario.plan.types import Plan
from tests.controller.networks import POLICY_NAMES
from tests.fabric.planned import SHIPPED, plan_of, plan_of_file

Answer = dict[str, Any]


def reached(plan: Plan, folder: Path, *cases: dict[str, Any]) -> list[Answer]:
    """Carry out cases of `tests.controller.reaching` in one guest."""
    (folder / "cases.json").write_text(json.dumps(cases))
    for _ in guests.heard(folder, plan, guests.job("run", plan), "tests.controller.reaching"):
        pass
    return json.loads((folder / "reached.json").read_text())


def everybody(times: int) -> dict[str, Any]:
    return {"senders": None, "times": times, "dscp": 0}


def alike(path: Path) -> tuple[object, ...]:
    """What decides how a topology forwards; scenarios with the same need not all be started."""
    plan = plan_of_file(path)
    return plan.rules, plan.groups


DISTINCT = {alike(path): path for path in reversed(SHIPPED)}.values()
STATIC = "{policy: static, paths: [{between: [c1, c2], over: [out, home]}]}"
QUICK = ("metro", "two-hosts", "ecmp")
"""A guest for each of the others is for `make test-all`: what they add is one more policy, or one more shape."""


def some_slow(cases: Iterable[Any], name: Callable[[Any], str]) -> list[ParameterSet]:
    """Cases, with those slow that are not among the QUICK ones."""
    return [
        pytest.param(case, marks=[] if name(case) in QUICK else pytest.mark.slow, id=name(case))
        for case in cases
    ]


def check_all_heard(plan: Plan, answer: Answer, times: int) -> None:
    everyone = range(len(plan.hosts + plan.probes))
    for own, heard in enumerate(answer["heard"]):
        assert heard["again"] == 0, "a packet was seen twice"
        assert heard["from"] == [[other, times] for other in everyone if other != own]


@pytest.mark.parametrize("path", some_slow(DISTINCT, lambda path: path.stem))
def test_everybody_hears_from_everybody_once_in_a_shipped_topology(
    path: Path,
    tmp_path: Path,
    kernel: Path,  # noqa: ARG001
) -> None:
    plan = plan_of_file(path)
    (answer,) = reached(plan, tmp_path, everybody(1))
    check_all_heard(plan, answer, 1)


# Between c1 and c2: a short thin lossy span, a fat one in parallel, and a way around over c3.
SPANS = """
routing: {routing}
campuses:
  c1: {{fabric: {{kind: leaf-spine, leaves: 2, spines: 2}}, hosts: [{{count: 2, accelerator: H100}}]}}
  c2: {{hosts: [{{count: 4, accelerator: H100}}]}}
  c3: {{hosts: [{{count: 1, accelerator: H100}}]}}
links:
  thin: {{between: [c1, c2], delay: 50us, rate: 1G, loss: 1e-3}}
  fat: {{between: [c1, c2], delay: 80us, rate: 3G, loss: 1e-5}}
  out: {{between: [c1, c3], delay: 45us, rate: 4G}}
  home: {{between: [c3, c2], delay: 45us, rate: 4G}}
"""
TIMES = 60


def claimed(plan: Plan, source: str, dscp: int) -> dict[str, tuple[float, float]]:
    """Packets that each long-haul interface should send when `source` sends TIMES to everybody: the
    mean, and the variance where a hash deals them."""
    hosts = plan.hosts + plan.probes
    sender = next(host for host in hosts if host.name == source)
    names = [end.interface for link in plan.long_hauls() for end in link.ends]
    found = dict.fromkeys(names, (0.0, 0.0))
    known = forwarding.of(plan)
    for sink in hosts:
        ways = known.ways(sender, sink, dscp) if sink != sender else ()
        shares = dict.fromkeys(names, 0.0)
        for share, ends in ways:
            for end in ends:
                if end.interface in shares:
                    shares[end.interface] += share
        for name, share in shares.items():
            mean, variance = found[name]
            found[name] = mean + TIMES * share, variance + TIMES * share * (1 - share)
    return found


@pytest.mark.parametrize(
    "routing", some_slow([*POLICY_NAMES, "{policy: ecmp, detour: 1}", STATIC], str)
)
def test_packets_take_the_spans_that_a_policy_claims(
    routing: str,
    tmp_path: Path,
    kernel: Path,  # noqa: ARG001
) -> None:
    plan = plan_of(SPANS.format(routing=routing))
    source = plan.hosts[0].name
    cases: Sequence[dict[str, Any]] = [
        {"senders": [source], "times": TIMES, "dscp": dscp} for dscp in (0, 46)
    ]
    for case, answer in zip(cases, reached(plan, tmp_path, *cases), strict=True):
        for name, (mean, variance) in claimed(plan, source, case["dscp"]).items():
            assert answer["sent"][name] == pytest.approx(mean, abs=5 * math.sqrt(variance))
        for heard in answer["heard"][1:]:
            assert heard == {"from": [[0, TIMES]], "again": 0}


def test_switches_that_nobody_controls_keep_to_the_planned_tree(
    tmp_path: Path,
    kernel: Path,  # noqa: ARG001
) -> None:
    plan = plan_of(SPANS.format(routing="none"))
    learning, learned = reached(plan, tmp_path, everybody(1), everybody(3))
    check_all_heard(plan, learning, 1)
    check_all_heard(plan, learned, 3)
    spans = {link.name: [learned["sent"][end.interface] for end in link.ends]
             for link in plan.long_hauls()}  # fmt: skip
    # c2 reaches c1 by `thin`, c3 by `thin` and then `out`: its ends of the other two are shut.
    assert (spans["fat"][1], spans["home"][1]) == (0, 0)
    # To each of c2's five from c1's three, and from c3's two by way of c1; floods come on top.
    assert spans["thin"][0] >= 3 * (3 * 5 + 2 * 5)
    assert spans["thin"][1] >= 3 * (5 * 3 + 5 * 2)
