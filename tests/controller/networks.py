"""Testbeds drawn by lot, of any shape, with parallel spans; graphs to give policies; the command line."""

import itertools
import subprocess
import sys
from pathlib import Path

from hypothesis import strategies as st

from controller.policies import POLICIES
from controller.policies.campuses import Arc, CampusGraph
from scenario.plan.types import Plan
from tests.fabric.planned import ROOT, plan_of

POLICY_NAMES = sorted(set(POLICIES) - {"static"})


@st.composite
def meshes(draw: st.DrawFn) -> Plan:
    """Two to five campuses: a tree, more links at random, some of them parallel; any policy."""
    count = draw(st.integers(2, 5))
    pairs = [(draw(st.integers(1, n - 1)), n) for n in range(2, count + 1)]
    every = list(itertools.combinations(range(1, count + 1), 2))
    pairs += draw(st.lists(st.sampled_from(every), max_size=5))
    policy = draw(st.sampled_from(POLICY_NAMES))
    detour = f", detour: {draw(st.integers(0, 2))}" if policy in ("ecmp", "wcmp") else ""
    lines = [f"routing: {{policy: {policy}{detour}}}", "campuses:"]
    for number in range(1, count + 1):
        fabric = draw(st.sampled_from(["single", "leaf-spine, leaves: 2, spines: 2"]))
        lines.append(
            f"  c{number}: {{fabric: {{kind: {fabric}}}, hosts: [{{count: 2, accelerator: H100}}]}}"
        )
    lines.append("links:")
    for index, (a, b) in enumerate(pairs):
        delay, rate = draw(st.integers(1, 50)), draw(st.sampled_from([100, 200, 400, 130]))
        loss = draw(st.sampled_from(["0", "1e-4", "1e-2"]))
        lines.append(
            f"  s{index}: {{between: [c{a}, c{b}], delay: {delay}us, rate: {rate}G, loss: {loss}}}"
        )
    return plan_of("\n".join(lines))


def graph(*spans: tuple[str, str, str, float, float, float]) -> CampusGraph:
    """Of spans: name, the two campuses, rate in Gbit/s, delay in µs, loss."""
    return CampusGraph(
        tuple(
            Arc(name, tail, head, rate * 1e9, delay * 1e-6, loss)
            for name, a, b, rate, delay, loss in spans
            for tail, head in ((a, b), (b, a))
        )
    )


def longhaul(*words: str | Path) -> tuple[int, str, str]:
    """Carry out a command line: its status, output and complaints."""
    done = subprocess.run(
        [sys.executable, "-m", "longhaul", *map(str, words)],
        cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=1800,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr
