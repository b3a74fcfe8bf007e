"""Where a fabric runs: choose the machine, start `longhaul.inside` there, follow it to its end.

One interface with two backends: `uml` boots a guest, `native` uses this kernel, in namespaces of
its own. Either ends with all of its processes when we do, however we end.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from longhaul.machine import bundle, memory, native, uml, userland
from longhaul.machine.kernel import KernelUnavailable, ensure_kernel, kernel_release
from scenario.errors import LonghaulError
from scenario.job import Job, Verb, write

_LOOK_EVERY_S = 0.03
_ANSWER_WITHIN_S = 20.0


class MachineError(LonghaulError):
    """A fabric cannot run here, or did not run to its end; the text says why."""


@dataclass(frozen=True)
class Machine:
    """Where, in which time, on which kernel, and why there."""

    name: str
    time: str
    kernel: str
    why: str


def choose(wanted: str, time_mode: str) -> Machine:
    """The machine for a run. Raises MachineError where the one that was asked for cannot be had."""
    if wanted == "uml":
        return _uml(time_mode, "as asked")
    if wanted == "native":
        return _native(time_mode)
    if time_mode == "virtual":
        return _uml(time_mode, "virtual time needs a kernel of its own")
    if obstacle := native.obstacle():
        why = f"this machine's own kernel will not do: {obstacle}"
        try:
            return _uml(time_mode, why)
        except MachineError as error:
            raise MachineError(f"{error}; and {why}") from None
    return _native(time_mode)


def _native(time_mode: str) -> Machine:
    if time_mode == "virtual":
        raise MachineError("--machine native has no virtual time: add --time real")
    if obstacle := native.obstacle():
        raise MachineError(f"--machine native cannot be had: {obstacle}")
    return Machine("native", time_mode, os.uname().release, "it has all that a fabric needs")


def _uml(time_mode: str, why: str) -> Machine:
    try:
        return Machine("uml", time_mode, kernel_release(ensure_kernel()), why)
    except KernelUnavailable as error:
        way_out = "" if time_mode == "real" else "; real time needs none: --time real"
        raise MachineError(f"no virtual-time kernel: {error}{way_out}") from None


def carry_out(
    machine: Machine,
    folder: Path,
    job: Job,
    hear: Callable[[dict[str, Any]], None],
    patience_s: float,
) -> None:
    """Do a job in `folder` (which holds `plan.json`), passing on each line of its progress.

    Raises MachineError when it did not end well, or said nothing for `patience_s` wall seconds.
    """
    prepare(folder, job)
    with _started(machine, folder, job) as process:
        follow(process, folder, hear, patience_s)


def prepare(folder: Path, job: Job) -> None:
    """Put a job where the machine finds it, and the application that is to control its switches: the
    machine does not see all of our files."""
    write(job, folder)
    (folder / "logs").mkdir(exist_ok=True)
    if job.controller:
        application = Path(job.controller)
        (folder / "controller").mkdir(exist_ok=True)
        shutil.copyfile(application, folder / "controller" / application.name)


@contextmanager
def _started(machine: Machine, folder: Path, job: Job) -> Iterator[subprocess.Popen[bytes]]:
    with (
        (folder / "logs" / "console.log").open("wb") as console,
        on(machine, folder, job, console.fileno(), subprocess.PIPE) as process,
    ):
        yield process


@contextmanager
def on(
    machine: Machine, folder: Path, job: Job, console: int | None, keyboard: int | None
) -> Iterator[subprocess.Popen[bytes]]:
    """Start a job on a machine; `console` and `keyboard` are as Popen's (None: our terminal)."""
    if machine.name == "native":
        with native.started(folder, console, keyboard) as process:
            yield process
        return
    try:
        with uml.booted(guest_for(folder, job), console, keyboard) as process:
            yield process
    except uml.GuestError as error:
        raise MachineError(str(error)) from None


def guest_for(folder: Path, job: Job) -> uml.Guest:
    """The guest for a job. Raises MachineError, KernelUnavailable."""
    return uml.Guest(
        kernel=ensure_kernel(),
        run=folder,
        seed=job.seed,
        time=job.time,
        memory_bytes=memory_for(job),
        cpu=job.cpu,
        exposed=tuple(Path(path) for path in job.exposed),
        root=root_for(job),
        for_programs=for_programs(job.root, job.verb),
    )


def root_for(job: Job) -> Path | None:
    """The guest's own root file system, where it is to have one; a bundle has no other. Raises MachineError."""
    if root_name(job.root, job.verb) == "system":
        return None
    try:
        return bundle.root() or userland.ensure()
    except userland.UserlandUnavailable as error:
        lacking = userland.lacking()
        why = f"this system lacks {', '.join(lacking)} (./setup.sh system), and " if lacking else ""
        raise MachineError(f"{why}there is no root file system for guests: {error}") from None


def root_name(wanted: str, verb: Verb) -> str:
    """Which root a guest gets: `auto` is its own, once that is made, or where the system has not what a fabric
    is made of. What `exec` runs sees the system with `system`, too, so its fabric may have either."""
    if bundle.home():
        return "own"
    if wanted == "auto" or (verb == "exec" and wanted == "system"):
        return "own" if userland.lacking() or userland.cached() else "system"
    return wanted


def for_programs(wanted: str, verb: Verb) -> bool:
    """Whether people's programs see the system's software where the fabric has a root of its own. A live fabric's
    shells do where the system has what is typed there in any case."""
    if wanted == "own" or bundle.home():
        return False
    return verb == "exec" or (verb == "live" and not userland.absent(userland.TYPED))


def memory_for(job: Job) -> int:
    """Bytes of memory for a job's guest: as said; else by what it is to run."""
    if job.memory_bytes:
        return job.memory_bytes
    return (memory.for_fabric if job.verb == "run" else memory.for_programs)(job.hosts)


def follow(
    process: subprocess.Popen[bytes],
    folder: Path,
    hear: Callable[[dict[str, Any]], None],
    patience_s: float,
) -> None:
    """Pass on progress until the process ends; see `carry_out`."""
    progress = ProgressLines(folder / "progress")
    heard = time.monotonic()
    asked = False
    while True:
        running = process.poll() is None
        for message in progress.new():
            heard, asked = time.monotonic(), False
            if text := message.get("stopped") or message.get("crashed"):
                raise MachineError(text)
            hear(message)
        if not running:
            break
        silence_s = time.monotonic() - heard
        if silence_s > patience_s + _ANSWER_WITHIN_S:
            raise MachineError(
                f"nothing happened for {patience_s:.0f} s of wall time, and the ranks do not answer "
                "(what takes longer, as many a program's start, needs a longer --patience)"
            )
        if silence_s > patience_s and not asked:
            asked = True
            ask(process)
        time.sleep(_LOOK_EVERY_S)
    if process.returncode:
        raise MachineError(f"it ended with status {process.returncode}{last_words(folder)}")
    if not progress.ended:
        raise MachineError(f"it ended early{last_words(folder)}")


def last_words(folder: Path, count: int = 8) -> str:
    """The end of what the machine's console said, to be put behind a complaint."""
    lines = (folder / "logs" / "console.log").read_text(errors="replace").splitlines()[-count:]
    return "; its console said last:\n  " + "\n  ".join(lines) if lines else ", and said nothing"


def ask(process: subprocess.Popen[bytes]) -> None:
    """Ask what the ranks wait for; the answer ends the run."""
    assert process.stdin
    process.stdin.write(b"?\n")
    process.stdin.flush()


class ProgressLines:
    """Reads whole lines of JSON off a file that grows."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0
        self.ended = False

    def new(self) -> Iterator[dict[str, Any]]:
        """The lines that have been added since the last call."""
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            file.seek(self._offset)
            for line in file:
                if not line.endswith(b"\n"):
                    return
                self._offset += len(line)
                message = json.loads(line)
                self.ended = self.ended or message.get("phase") == "end"
                yield message
