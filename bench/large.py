"""What the largest inputs that are allowed cost to plan: CPU time, memory, and the calls of functions that it takes.

    python -m bench.large            a table of all
    python -m bench.large NAME…      of these
    python -m bench.large --calls    calls as well, counted in a second process (they do not hang on the machine)

Each is a command of longhaul, carried out in a process of its own. What ends within MOST_S and MOST_BYTES, or is
refused by a message that says what is too many, is well; else the status is 1.
"""

from __future__ import annotations

import argparse
import cProfile
import itertools
import json
import os
import pstats
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
MOST_S, MOST_BYTES = 20.0, 1_000_000_000
POLICIES = (
    "shortest-delay", "most-bandwidth", "ecmp", "wcmp", "loss-aware", "collective-aware", "none",
)  # fmt: skip
MESH, MOST_CAMPUSES, MOST_LINKS = 22, 64, 256
HEAD = {"longhaul": 1, "scale": {"bytes": 100_000}}


@dataclass(frozen=True)
class Largest:
    """A command, and the files that it names."""

    name: str
    words: tuple[str, ...]
    files: dict[str, object]


def cases() -> Iterator[Largest]:
    """All of them, by rule."""
    for shape, ends in shapes().items():
        for policy in POLICIES:
            yield _plan(f"{shape} {policy}", _links(ends), routing={"policy": policy})
        for detour in (4, 8):
            routing = {"policy": "ecmp", "detour": detour}
            yield _plan(f"{shape} ecmp detour {detour}", _links(ends), routing=routing)
    pair: dict[str, dict[str, object]] = {
        "a-b": {"between": ["a", "b"], "distance": "50mi", "rate": "400Gbit/s"}
    }
    for name, fabric in {
        "leaf-spine 250 x 64": {"kind": "leaf-spine", "leaves": 250, "spines": 64},
        "leaf-spine 64 x 16": {"kind": "leaf-spine", "leaves": 64, "spines": 16},
        "fat tree of 22": {"kind": "fat-tree", "k": 22},
        "fat tree of 8": {"kind": "fat-tree", "k": 8},
    }.items():
        for count in (1, 8, 64):
            yield _plan(f"{name} in {count}", _links(ring(count)), {"fabric": fabric})
    for hosts in (1_000, 10_000):
        fabric = {"kind": "leaf-spine", "leaves": 50, "spines": 8}
        groups = [{"count": hosts // 2, "name": "h", "accelerator": "H100"}]
        yield _plan(f"{hosts:,} hosts", pair, {"fabric": fabric, "hosts": groups})
    damp = pair["a-b"] | {"distance": "10mi", "age": "5y", "condition": "damp", "margin": "1dB"}
    drifts = [
        {"event": "drift", "link": "*", "to-age": "20.5y", "at": f"{n}s", "for": "1s", "steps": 1000}
        for n in range(10)
    ]  # fmt: skip
    for count in (1, 2, 30):
        many = {f"l{n}": damp for n in range(count)}
        yield _plan(f"ten drifts of 1,000 steps, links: {count}", many, timeline=drifts)


def shapes() -> dict[str, list[tuple[int, int]]]:
    """Links between numbered campuses."""
    chance = random.Random(64)
    every = list(itertools.combinations(range(MOST_CAMPUSES), 2))
    tree = [(chance.randrange(n), n) for n in range(1, MOST_CAMPUSES)]
    rest = chance.sample([pair for pair in every if pair not in tree], MOST_LINKS - len(tree))
    grid = [(n, n + 1) for n in range(64) if n % 8 < 7] + [(n, n + 8) for n in range(56)]
    return {
        "mesh of 22": list(itertools.combinations(range(MESH), 2)),
        "ring of 64": ring(MOST_CAMPUSES),
        "star of 64": [(0, n) for n in range(1, MOST_CAMPUSES)],
        "grid of 64": grid,
        "ladder of 64": [(n, n + 2) for n in range(62)] + [(n, n + 1) for n in range(0, 64, 2)],
        "random 64, 256 links": tree + rest,
        "two, 256 links": [(0, 1)] * MOST_LINKS,
    }


def ring(count: int) -> list[tuple[int, int]]:
    """Each campus with the next."""
    return [(n, (n + 1) % count) for n in range(count if count > 2 else count - 1)]


def _links(ends: Sequence[tuple[int, int]]) -> dict[str, dict[str, object]]:
    chance = random.Random(7)
    return {
        f"l{number}": {
            "between": [_campus(a), _campus(b)],
            "distance": f"{chance.randrange(5, 900)}mi",
            "rate": f"{chance.choice((100, 400, 800))}Gbit/s",
            "age": f"{chance.randrange(20)}y",
        }
        for number, (a, b) in enumerate(ends)
    }


def _campus(number: int) -> str:
    return chr(97 + number // 26) + chr(97 + number % 26)


def _plan(
    name: str, links: dict[str, dict[str, object]], campus: object = None, **more: object
) -> Largest:
    """A topology of alike campuses, planned."""
    one = {"hosts": [{"count": 1, "name": "h", "accelerator": "H100"}]} | (campus or {})  # type: ignore[operator]
    ends = [end for link in links.values() for end in link["between"]]  # type: ignore[attr-defined]
    campuses = dict.fromkeys(sorted(ends) or ["aa"], one)
    written = HEAD | {"name": "large", "campuses": campuses, "links": links} | more
    return Largest(name, ("plan", "large.yaml", "-o", "/dev/null"), {"large.yaml": written})


@dataclass(frozen=True)
class Expense:
    """What one took: `calls` None where they were not counted; `refused` what it said, if it was."""

    cpu_s: float
    bytes: int
    calls: int | None
    refused: str
    status: int

    @property
    def well(self) -> bool:
        """Whether it keeps within the limits, or was refused at once."""
        return self.status in (0, 2) and self.cpu_s <= MOST_S and self.bytes <= MOST_BYTES


def cost(case: Largest, *, counted: bool = False) -> Expense:
    """Carry one out; what is counted takes longer, and its time is not the command's."""
    with tempfile.TemporaryDirectory(prefix="longhaul-large-") as folder:
        for name, tree in case.files.items():
            text = tree if isinstance(tree, str) else json.dumps(tree, indent=1)  # is YAML, too
            (Path(folder) / name).write_text(text)
        command = [sys.executable, "-m", "bench.large", "--one", json.dumps(case.words)]
        process = subprocess.Popen(
            command + ["--calls"] * counted, cwd=folder, text=True, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, env=os.environ | {"PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        assert process.stderr
        said = process.stderr.read().splitlines()
        _, status, taken = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    calls = int(said.pop()) if counted and process.returncode in (0, 2) else None
    refused = said[0] if said and process.returncode else ""
    cpu_s = taken.ru_utime + taken.ru_stime
    return Expense(cpu_s, taken.ru_maxrss * 1024, calls, refused, process.returncode)


def _carry_out(words: list[str], *, counted: bool) -> int:
    from longhaul import cli  # noqa: PLC0415 - in the process that is measured

    if not counted:
        return cli.main(words)
    profile = cProfile.Profile()
    status = profile.runcall(cli.main, words)
    print(pstats.Stats(profile).total_calls, file=sys.stderr)  # type: ignore[attr-defined]
    return status


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--calls", action="store_true")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    words = parser.parse_args()
    if words.one:
        return _carry_out(json.loads(words.one), counted=words.calls)
    chosen = [c for c in cases() if not words.names or any(n in c.name for n in words.names)]
    print(f"{'':<36} {'CPU s':>6} {'MB':>6} {'calls':>12}")
    every = [_told(case, counted=words.calls) for case in chosen]
    return 0 if all(every) else 1


def _told(case: Largest, *, counted: bool) -> bool:
    found = cost(case)
    calls = (cost(case, counted=True).calls or 0) if counted else 0
    said = f"{calls:>12,}" if counted else f"{'':>12}"
    print(
        f"{case.name:<36} {found.cpu_s:>6.1f} {found.bytes / 1e6:>6.0f} {said}  "
        f"{'' if found.well else 'TOO MUCH '}{found.refused}",
        flush=True,
    )
    return found.well


if __name__ == "__main__":
    sys.exit(main())
