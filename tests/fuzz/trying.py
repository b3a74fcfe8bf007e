"""Tries mutated inputs of one kind, in processes of their own, each input within limits of time and memory.

    python -m tests.fuzz.trying KIND FIRST COUNT

prints a line of JSON for each that was not answered well: neither read nor refused with an InvalidInput. The last line,
on standard error, is how much time and memory the worst of them took.
"""

from __future__ import annotations

import contextlib
import gc
import io
import json
import os
import resource
import shutil
import signal
import sys
import tempfile
import traceback
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from tests.fuzz.kinds import Kind

MOST_BYTES = 500_000_000
RESERVED_BYTES = {"folders": 6_000_000_000}
"""Address space, not memory, that Polars' threads and allocator take when they are first used."""
MOST_CPU_S = 10
LONGEST_ANSWER = 200_000
TOGETHER = 100
"""So many inputs are tried by one process, then by a new one: what they leave in memory does not add up."""


class Tried(NamedTuple):
    """What became of one seed: what went wrong, empty where nothing did; what it took."""

    seed: int
    said: str
    cpu_s: float
    memory_mb: int


@dataclass
class Most:
    """What the most demanding of several inputs took, and which that was."""

    cpu_s: float = 0.0
    cpu_seed: int = 0
    memory_mb: int = 0
    memory_seed: int = 0

    def see(self, one: Tried) -> None:
        """Take one into account."""
        if one.cpu_s > self.cpu_s:
            self.cpu_s, self.cpu_seed = one.cpu_s, one.seed
        if one.memory_mb > self.memory_mb:
            self.memory_mb, self.memory_seed = one.memory_mb, one.seed


def main(name: str, first: int, count: int) -> None:
    """Try so many seeds from the first on."""
    kind, most = _kind(name), Most()
    gc.freeze()  # else each process copies what it only reads
    with tempfile.TemporaryDirectory(prefix="longhaul-fuzz-") as folder:
        for one in tried(
            kind, range(first, first + count), Path(folder), RESERVED_BYTES.get(name, 0)
        ):
            most.see(one)
            if one.said:
                said = {"kind": name, "seed": one.seed, "said": one.said[-1500:]}
                print(json.dumps(said), flush=True)
    print(
        json.dumps({"kind": name, "first": first, "tried": count} | asdict(most)), file=sys.stderr
    )


def _kind(name: str) -> Kind:
    if name == "folders":
        from tests.fuzz.folders import Folders

        return Folders()
    from tests.fuzz.kinds import KINDS

    return KINDS[name]()


def tried(kind: Kind, seeds: range, folder: Path, reserved: int) -> Iterator[Tried]:
    """What became of each seed. A process that ends early ended by the seed after the last that it told of."""
    while seeds:
        for one in _together(kind, seeds[:TOGETHER], folder, reserved):
            yield one
            seeds = seeds[1:]


def _together(kind: Kind, seeds: range, folder: Path, reserved: int) -> Iterator[Tried]:
    """Several seeds in one new process, up to the one that ends it."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        with contextlib.ExitStack() as ending:
            ending.callback(os._exit, 1)  # whatever happens, this process goes no further
            with os.fdopen(writing, "w", encoding="utf-8", errors="replace") as pipe:
                _all(kind, seeds, folder, reserved, pipe)
            os._exit(0)
    os.close(writing)
    left, one = seeds, None
    with os.fdopen(reading, encoding="utf-8", errors="replace") as pipe:
        for line in pipe:
            one = Tried(*json.loads(line))
            yield one
            left = left[1:]
    _, status, taken = os.wait4(child, 0)
    _clear(folder)
    if left and not (one and one.said):
        yield Tried(left[0], _ended(status), MOST_CPU_S, taken.ru_maxrss // 1000)


def _ended(status: int) -> str:
    """How a process ended that did not tell."""
    if os.WIFSIGNALED(status):
        name = signal.Signals(os.WTERMSIG(status)).name
        return f"ended by {name}: over {MOST_CPU_S} s of CPU?"
    return f"ended with {os.WEXITSTATUS(status)}: out of memory?"


def _all(kind: Kind, seeds: range, folder: Path, reserved: int, pipe: IO[str]) -> None:
    """Try each, up to one that goes wrong, and tell of each once it is through."""
    _limit_memory(reserved)
    for seed in seeds:
        began_s = _limit_time()
        said = _answered(kind, seed, folder)
        taken = resource.getrusage(resource.RUSAGE_SELF)
        cpu_s = round(taken.ru_utime + taken.ru_stime - began_s, 2)
        print(
            json.dumps([seed, said[-4000:], cpu_s, taken.ru_maxrss // 1000]), file=pipe, flush=True
        )
        _clear(folder)
        if said:
            return


def _limit_memory(reserved: int) -> None:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + reserved + MOST_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _limit_time() -> float:
    """Give the next input its share; the CPU seconds that have been used before it."""
    taken = resource.getrusage(resource.RUSAGE_SELF)
    used_s = taken.ru_utime + taken.ru_stime
    resource.setrlimit(resource.RLIMIT_CPU, (int(used_s) + 1 + MOST_CPU_S, resource.RLIM_INFINITY))
    return used_s


def _answered(kind: Kind, seed: int, folder: Path) -> str:
    out = io.StringIO()
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            said = kind.answer(seed, folder)
    except BaseException:
        return traceback.format_exc(limit=-12)
    if len(said) > LONGEST_ANSWER:
        return f"an answer of {len(said)} characters"
    if any(not (c.isprintable() or c == "\n") for c in said):
        return f"an answer that commands the terminal: {said[:300]!r}"
    return ""


def _clear(folder: Path) -> None:
    for one in folder.iterdir():
        if one.is_dir() and not one.is_symlink():
            shutil.rmtree(one)
        else:
            one.unlink()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
