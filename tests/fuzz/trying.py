"""Tries mutated inputs of one kind, each in a process of its own with limits of time and memory.

    python -m tests.fuzz.trying KIND FIRST COUNT

prints a line of JSON for each that was not answered well: neither read nor refused with an InvalidInput. The last line,
on standard error, is how much time and memory the worst of them took.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import resource
import shutil
import signal
import sys
import tempfile
import traceback
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.fuzz.kinds import Kind

MOST_BYTES = 500_000_000
RESERVED_BYTES = {"folders": 6_000_000_000}
"""Address space, not memory, that Polars' threads and allocator take when they are first used."""
MOST_CPU_S = 10
LONGEST_ANSWER = 200_000


def main(name: str, first: int, count: int) -> None:
    """Try so many seeds from the first on."""
    kind, most = _kind(name), Most()
    with tempfile.TemporaryDirectory(prefix="longhaul-fuzz-") as folder:
        for seed in range(first, first + count):
            said, taken = tried(kind, seed, Path(folder), RESERVED_BYTES.get(name, 0))
            most.see(seed, taken)
            if said:
                print(json.dumps({"kind": name, "seed": seed, "said": said[-1500:]}), flush=True)
    print(
        json.dumps({"kind": name, "first": first, "tried": count} | asdict(most)), file=sys.stderr
    )


@dataclass
class Most:
    """What the most demanding of several inputs took, and which that was."""

    cpu_s: float = 0.0
    cpu_seed: int = 0
    memory_mb: int = 0
    memory_seed: int = 0

    def see(self, seed: int, taken: resource.struct_rusage) -> None:
        """Take one into account."""
        cpu_s, memory_mb = round(taken.ru_utime + taken.ru_stime, 2), taken.ru_maxrss // 1000
        if cpu_s > self.cpu_s:
            self.cpu_s, self.cpu_seed = cpu_s, seed
        if memory_mb > self.memory_mb:
            self.memory_mb, self.memory_seed = memory_mb, seed


def _kind(name: str) -> Kind:
    if name == "folders":
        from tests.fuzz.folders import Folders

        return Folders()
    from tests.fuzz.kinds import KINDS

    return KINDS[name]()


def tried(kind: Kind, seed: int, folder: Path, reserved: int) -> tuple[str, resource.struct_rusage]:
    """What went wrong with one seed, empty where nothing did; and what it took."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _limited(reserved)
        os.write(writing, _answered(kind, seed, folder).encode("utf-8", "replace")[-4000:])
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read().decode("utf-8", "replace")
    _, status, taken = os.wait4(child, 0)
    _clear(folder)
    if os.WIFSIGNALED(status):
        return (
            f"ended by {signal.Signals(os.WTERMSIG(status)).name}: over {MOST_CPU_S} s of CPU?",
            taken,
        )
    return said, taken


def _limited(reserved: int) -> None:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + reserved + MOST_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_CPU_S, MOST_CPU_S))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


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
