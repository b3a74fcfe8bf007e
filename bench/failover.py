"""What a cut span costs: packets lost, and time without traffic, beside what is to be expected.

    python bench/failover.py [TOPOLOGY]

A stream of datagrams crosses the first long-haul link of a triangle; then that is cut, at both ends at
one instant. In virtual time the figures are exact, and the same each time. What is on the wire is lost
whatever anybody does. A switch sees at once that its port is down (there is no BFD), but Open vSwitch
looks over its data plane at most once in 5 ms: so long packets may still go nowhere where a switch moves them.
"""

from __future__ import annotations

import itertools
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench import guests
from bench.failing import ANSWER, ASKED, Sending
from longhaul.planning import make_plan
from scenario.loading import load_topology
from scenario.plan.types import Plan

Cut = tuple[float, str, str]
"""At so many seconds, do this (down, up; kill, start), with that (a link; `controller`)."""
TRIANGLE = Path(__file__).with_name("triangle.yaml")
GAP_S = 100e-6
COUNT = 3000
CUT_S = 0.1


@dataclass(frozen=True)
class StreamSeen:
    """What became of a stream: numbers in the order of arrival, when they came (seconds from the
    first one's start), packets that each long-haul interface sent, the controller's log."""

    numbers: tuple[int, ...]
    times_s: tuple[float, ...]
    sent: dict[str, int]
    log: str

    @property
    def lost(self) -> list[int]:
        """Numbers that never came."""
        return sorted(set(range(COUNT)) - set(self.numbers))

    @property
    def doubled(self) -> int:
        """How many came again."""
        return len(self.numbers) - len(set(self.numbers))

    @property
    def silence_s(self) -> float:
        """The longest time without an arrival, seconds."""
        return max(b - a for a, b in itertools.pairwise(self.times_s))


def stream(
    plan: Plan, ends: tuple[str, str], cuts: Sequence[Cut] = (), gap_s: float = GAP_S
) -> StreamSeen:
    """Send COUNT datagrams, `gap_s` apart, between two hosts, while cuts happen. Raises BenchError."""
    planned = tuple((round(at_s * 1e9), action, what) for at_s, action, what in cuts)
    asked = Sending(*ends, count=COUNT, gap_ns=round(gap_s * 1e9), size_bytes=200, cuts=planned)
    with tempfile.TemporaryDirectory(prefix="longhaul-failover-") as folder:
        run = Path(folder)
        (run / ASKED).write_text(json.dumps(vars(asked)))
        for _ in guests.heard(run, plan, guests.job("run", plan), "bench.failing"):
            pass
        answer = json.loads((run / ANSWER).read_text())
        written = run / "logs" / "controller.log"
        log = written.read_text() if written.exists() else ""
    times_s = tuple(at / 1e9 for at in answer["times_ns"])
    return StreamSeen(tuple(answer["numbers"]), times_s, answer["sent"], log)


def plan_of(path: Path, *overrides: str) -> Plan:
    """The plan of a topology file."""
    return make_plan(load_topology(path, overrides))


CASES = (
    ("fast failover", "{repair-after: 50ms}", GAP_S, "what is on the wire, or sent within 5 ms"),
    (
        "controller alone",
        "{protection: none, repair-after: 50ms}",
        GAP_S,
        "what is on the wire, or sent within 50 ms",
    ),
    ("no controller: spanning tree", "none", 100 * GAP_S, "until the tree has a new branch"),
)


def main(path: Path) -> None:
    """Measure each case, print a table."""
    table = Table("", "packets lost", "without traffic", "expected", title="The first span is cut")
    for name, routing, gap_s, expected in CASES:
        plan = plan_of(path, f"routing={routing}")
        span = next(plan.long_hauls())
        campuses = {switch.name: switch.campus for switch in plan.switches}
        source, sink = (
            next(host.name for host in plan.hosts if host.campus == campuses[end.node])
            for end in span.ends
        )
        found = stream(plan, (source, sink), [(CUT_S, "down", span.name)], gap_s)
        lost = f"{len(found.lost)} of {COUNT}, {gap_s * 1e3:g} ms apart"
        table.add_row(name, lost, f"{found.silence_s * 1e3:.3f} ms", expected)
    Console().print(table)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else TRIANGLE)
