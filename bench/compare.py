"""longhaul's figures next to Mininet as shipped, in the same guest kernel, as ratios.

    python bench/compare.py [--hosts 24,96,192] [--full] [--repeat 3]     (or: make bench)

Everything is measured now, alternating between the two sides, so that other work on the machine
weighs on both alike; medians are shown. Wall times are the host's. Nothing is asserted about time.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from statistics import median

from mininet.net import VERSION as MININET
from rich.console import Console
from rich.table import Table

from bench.fabrics import CAMPUSES, write_topology, write_workload
from bench.guests import BenchError, pingable_s
from bench.replays import ReplayedRun, iperf_wall_s_per_gb, replay
from longhaul.machine.dispatch import MachineError
from longhaul.machine.init import PAYLOAD
from longhaul.machine.kernel import KernelUnavailable, ensure_kernel, kernel_release
from longhaul.machine.uml import GuestError
from longhaul.planning import make_plan
from scenario.loading import load_topology

SHIPPED = "bench.shipped"
SIZES = (24, 96, 192)
MOST_SHIPPED = 96  # hosts for which Mininet as shipped is waited for without --full
LONG_FROM = 24  # hosts from which Mininet as shipped is started less often
RING_HOSTS = 12
ITERATIONS = 5
BUSY_BPS, LIGHT_BPS = 800e6, 50e6
WIDTH = 80

Say = Callable[[str], None]


@dataclass(frozen=True)
class ComparedRow:
    """A line of the table: `ours` and `theirs` as printed, and theirs ÷ ours."""

    what: str
    ours: str
    theirs: str = "–"
    ratio: str = ""


@dataclass
class Sides:
    """Repeated measurements of the same thing on both sides."""

    ours: list[float] = field(default_factory=list)
    theirs: list[float] = field(default_factory=list)


def main() -> int:
    """Measure and print; 1 if something could not be measured, 130 if interrupted."""
    words = parser().parse_args()
    load = os.getloadavg()[0]
    try:
        with tempfile.TemporaryDirectory(prefix="longhaul-bench-") as folder:
            sections = measure(words, Path(folder))
    except (BenchError, MachineError, GuestError, KernelUnavailable) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    show(sections, load)
    return 0


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(description="longhaul next to Mininet as shipped, as ratios.")
    sizes = ",".join(map(str, SIZES))
    made.add_argument("--hosts", type=_sizes, default=SIZES, help=f"to start, default {sizes}")
    made.add_argument(
        "--full", action="store_true",
        help=f"start Mininet as shipped with more than {MOST_SHIPPED} hosts too: takes minutes",
    )  # fmt: skip
    made.add_argument("--repeat", type=_count, default=3, help="repetitions (default 3)")
    return made


def _sizes(text: str) -> tuple[int, ...]:
    sizes = tuple(_count(word) for word in text.split(","))
    if any(size % CAMPUSES for size in sizes):
        raise argparse.ArgumentTypeError(f"hosts are spread over {CAMPUSES} campuses evenly")
    return sizes


def _count(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)


def measure(words: argparse.Namespace, folder: Path) -> dict[str, list[ComparedRow]]:
    """The table, section by section. Raises BenchError, MachineError."""
    with saying() as say:
        return {
            "Start-up, wall s to first ping answered,\nagainst Mininet as shipped": [
                start_up(hosts, words, folder, say) for hosts in words.hosts
            ],
            **replays(words.repeat, folder, say),
        }


@contextmanager
def saying() -> Iterator[Say]:
    """Says what is being done on standard error: one line of a terminal, or plain lines."""
    console = Console(stderr=True, highlight=False)
    with console.status("") as status:
        yield status.update if console.is_terminal else console.print


def start_up(hosts: int, words: argparse.Namespace, folder: Path, say: Say) -> ComparedRow:
    """Start both ways in turn; ours once more than theirs, so that it is before and after."""
    plan = make_plan(load_topology(write_topology(folder, hosts, BUSY_BPS), ()))
    sides = Sides()
    wait = words.full or hosts <= MOST_SHIPPED
    for number in range(max(1, words.repeat * LONG_FROM // hosts)):
        say(f"starting {hosts} hosts, round {number + 1}: longhaul")
        sides.ours.append(pingable_s(plan, PAYLOAD))
        if wait:
            say(f"starting {hosts} hosts, round {number + 1}: Mininet as shipped")
            sides.theirs.append(pingable_s(plan, SHIPPED))
    say(f"starting {hosts} hosts: longhaul")
    sides.ours.append(pingable_s(plan, PAYLOAD))
    what = f"{hosts} hosts, {len(plan.wires)} links"
    if not wait:
        return ComparedRow(what, f"{median(sides.ours):.1f}", "with --full")
    return compared(what, sides, "{:.1f}")


def compared(what: str, sides: Sides, form: str) -> ComparedRow:
    """Medians, how often each was measured, and their ratio."""
    ours, theirs = median(sides.ours), median(sides.theirs)
    counts = f"{what} (n={len(sides.ours)}, {len(sides.theirs)})"
    return ComparedRow(counts, form.format(ours), form.format(theirs), times(ours, theirs))


def times(ours: float, theirs: float) -> str:
    """Theirs ÷ ours."""
    if not ours:
        return "–"
    ratio = theirs / ours
    return f"{ratio:,.0f} ×" if ratio >= 100 else f"{ratio:.1f} ×"


def replays(repeat: int, folder: Path, say: Say) -> dict[str, list[ComparedRow]]:
    """Exactness and cost, from the same runs."""
    workload = write_workload(folder, ITERATIONS)
    topologies = {bps: write_topology(folder, RING_HOSTS, bps) for bps in (BUSY_BPS, LIGHT_BPS)}
    runs: dict[tuple[float, str], list[ReplayedRun]] = {}
    cost = Sides()
    for number in range(repeat):
        for (bps, topology), clock in product(topologies.items(), ("virtual", "real")):
            say(f"all-reduce at {_rate(bps)} in {clock} time, round {number + 1}")
            runs.setdefault((bps, clock), []).append(replay(topology, workload, clock))
            if (bps, clock) == (BUSY_BPS, "virtual"):
                say(f"iperf3, round {number + 1}")
                ours = runs[bps, clock][-1]
                cost.ours.append(ours.wall_s_per_gb)
                cost.theirs.append(iperf_wall_s_per_gb(topology, ours.bytes_by_rank))
    return {
        f"Exactness of {RING_HOSTS} hosts in virtual time,\nagainst real time": [
            row
            for bps in topologies
            for row in exactness(bps, runs[bps, "virtual"], runs[bps, "real"])
        ],
        "Cost, wall s per GB of ring all-reduce,\nagainst iperf3 sending the same bytes": [
            compared(f"{RING_HOSTS} hosts, {ours.bytes_by_rank / 1e6:.0f} MB each", cost, "{:.1f}")
        ],
    }


def exactness(
    bps: float, ours: Sequence[ReplayedRun], theirs: Sequence[ReplayedRun]
) -> Iterator[ComparedRow]:
    """Median, error and spread of the all-reduce, as the α–β model predicts it, and of a ten-mile RTT."""
    iterations = [[x for run in side for x in run.collectives_s] for side in (ours, theirs)]
    predicted_s = ours[0].predicted_s
    what = f"{_rate(bps)}: ring"
    yield from agreement(
        what, f"ms, predicted {predicted_s * 1e3:.1f}", 1e3, predicted_s, iterations
    )
    rtts = [[rtt for run in side for rtt in run.rtts_s] for side in (ours, theirs)]
    asked_s = ours[0].asked_rtt_s
    what = f"{_rate(bps)}: RTT"
    yield from agreement(what, f"µs, asked {asked_s * 1e6:.2f}", 1e6, asked_s, rtts)


def agreement(
    what: str, unit: str, scale: float, asked_s: float, sides: Sequence[Sequence[float]]
) -> Iterator[ComparedRow]:
    """How both sides' values (s) lie about the one that was asked for, and how far apart they are."""
    ours, theirs = (median(values) for values in sides)
    yield ComparedRow(f"{what}, {unit}", f"{ours * scale:.2f}", f"{theirs * scale:.2f}")
    errors = (abs(ours / asked_s - 1), abs(theirs / asked_s - 1))
    yield shares("  error of the median", *errors)
    yield shares("  spread, (max − min) ÷ median", spread(sides[0]), spread(sides[1]))


def spread(values: Sequence[float]) -> float:
    """How far apart they lie, as a share of their median."""
    return (max(values) - min(values)) / median(values)


def shares(what: str, ours: float, theirs: float) -> ComparedRow:
    """A line of percentages."""
    return ComparedRow(what, f"{ours:.3%}", f"{theirs:.3%}", times(ours, theirs))


def _rate(bps: float) -> str:
    return f"{bps / 1e6:g} Mbit/s"


def show(sections: dict[str, list[ComparedRow]], load: float) -> None:
    """Print the table, and where it was measured."""
    console = Console(width=WIDTH, highlight=False)
    table = Table(title=f"longhaul next to Mininet {MININET}", width=WIDTH)
    table.add_column("medians (n= how often each)", ratio=1)
    for name in ("longhaul", "against", "ratio"):
        table.add_column(name, justify="right", no_wrap=True)
    for title, rows in sections.items():
        table.add_section()
        table.add_row(f"[bold]{title}[/bold]")
        for row in rows:
            table.add_row(row.what, row.ours, row.theirs, row.ratio)
    console.print(table)
    for line in where(load):
        console.print(line)


def where(load: float) -> Iterator[str]:
    """The machine, and how busy it was."""
    model = re.search(r"model name\s*:\s*(.*)", Path("/proc/cpuinfo").read_text())
    cores = len(os.sched_getaffinity(0))
    yield f"{model[1] if model else platform.machine()}, {cores} cores, Linux {os.uname().release}"
    yield "all in the same guest kernel; wall times by the host's clock, from its exec"
    yield "both sides in turn; spreads over all iterations or echoes; predicted by α–β"
    yield f"guest: User-Mode Linux {kernel_release(ensure_kernel())}, pinned to one core"
    yield f"load average {load:.1f} before, {os.getloadavg()[0]:.1f} after; {time.strftime('%F')}"


if __name__ == "__main__":
    sys.exit(main())
