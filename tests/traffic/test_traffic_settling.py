"""Iterations that take several lengths by turns, against what a pencil finds; and those that take the same at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from scenario.plan.types import Plan
from tests.fabric.planned import plan_of
from traffic.host.program import CollectiveTask, ComputeTask, Task
from traffic.model.forecast import Cycle, duration_s, durations_s
from traffic.model.settling import LEAST, MOST, length_s, repeating
from traffic.model.wires import Wires
from traffic.schedule import Op

DELAY_S = 0.1
SIZE = 4


def far_pair(delay: str = "100ms") -> Plan:
    """Two hosts, and next to nothing between them but the delay."""
    return plan_of(f"""
defaults:
  campuses: {{fabric: {{kind: single, host-delay: 0ns, link-delay: 0ns, border-rate: 400Gbit/s}}}}
campuses:
  c1: {{hosts: [{{count: 1, accelerator: H100, nics: 1, nic: 400Gbit/s}}]}}
  c2: {{hosts: [{{count: 1, accelerator: H100, nics: 1, nic: 400Gbit/s}}]}}
links:
  c1-c2: {{between: [c1, c2], delay: {delay}, rate: 400Gbit/s}}
""")


def told(peer: int, compute_s: float) -> list[Task]:
    """Each tells the other that it has begun, and computes when it has heard the same."""
    ops = (Op("send", peer, 0, SIZE), Op("copy", peer, 0, SIZE))
    return [CollectiveTask(SIZE, ops), ComputeTask(round(compute_s * 1e9), after=(0,))]


def crossed(plan: Plan, *compute_s: float) -> Cycle:
    """A rank's iteration begins when the other's last one has ended, and a delay later."""
    return Cycle(Wires(plan), [told(1, compute_s[0]), told(0, compute_s[1])])


def test_an_iteration_is_the_mean_where_two_lengths_alternate() -> None:
    """Ends are 110 and 100 ms, 210 and 210, 320 and 310, …: iterations of 110 and 100 ms by turns."""
    assert duration_s(crossed(far_pair(), 0.01, 0.0)) == pytest.approx(DELAY_S + 0.005, rel=1e-6)


def test_of_many_each_has_its_own_turn_to_the_last_bit() -> None:
    """The second's ranks are alike, so that it takes the same at once; the third's delay is another."""
    cycles = [
        crossed(far_pair(), 0.01, 0.0),
        crossed(far_pair(), 0.0, 0.0),
        crossed(far_pair("70ms"), 0.0, 0.02),
    ]
    alone = [duration_s(cycle) for cycle in cycles]
    assert durations_s(cycles) == alone
    assert alone == pytest.approx([0.105, 0.1, 0.08], rel=1e-6)


def test_what_settles_is_looked_at_no_longer_and_what_never_does_is_not_waited_for() -> None:
    seen: list[float] = []

    def after(gains: float) -> Callable[[Sequence[float]], list[float]]:
        def ends(before: Sequence[float]) -> list[float]:
            seen.append(before[0])
            return [before[0] + 1.0, before[1] + 1.0 - gains]

        return ends

    assert length_s(repeating(2, after(0.5))) == 1.0
    assert len(seen) == MOST
    assert length_s(repeating(2, after(0.0))) == 1.0
    assert len(seen) == MOST + LEAST
