"""Runs from Python: one, waited for; or several at a time, each in a process and on a CPU of its own.

In: a topology and workloads. Out: a `Run`, or the future of one. `longhaul run` is built on it.
"""

from __future__ import annotations

import os
import subprocess
import threading
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from typing import Unpack

from longhaul import folder
from longhaul.api.inputs import Topology
from longhaul.api.options import RunOptions, Workloads, arguments, request
from longhaul.api.results import Run
from longhaul.machine.bundle import again
from longhaul.machine.child import child
from longhaul.machine.dispatch import MachineError
from longhaul.runs import life

LAST_LINES = 8


def run(topology: Topology, workload: Workloads = None, **options: Unpack[RunOptions]) -> Run:
    """Carry out a workload on a topology, and wait for it. Without a workload: the topology's own, else one step of
    training. `options` are those of `longhaul run`: `seed`, `time`, `machine`, `root`, `cpu`, `out`, `patience_s`,
    `without`, `settings`, `probe`, `probe_interval_s`, `capture`, `capture_bytes`, `controller`, `rest`,
    `memory_bytes`; `hear` gets the progress, message by message. Ctrl-C ends the guest.

    Raises InvalidInput, MachineError, FolderTaken.
    """
    hear = options.get("hear") or (lambda _: None)
    return Run(life.run(request(topology, workload, **options), hear))


class Submitted(Future[Run]):
    """A run under way or waiting for a CPU: `result()` waits for it, `cancel()` ends it at any time."""

    def __init__(self) -> None:
        super().__init__()
        self._process: subprocess.Popen[str] | None = None
        self.ended = False

    def begun(self, process: subprocess.Popen[str]) -> None:
        """Its process has started."""
        self._process = process
        if self.ended:
            process.terminate()

    def cancel(self) -> bool:
        """End it, waiting or under way; False where it is done already."""
        if self.done():
            return False
        self.ended = True
        if self._process:
            self._process.terminate()
        super().cancel()
        return True


_cpus: SimpleQueue[int] = SimpleQueue()
for _cpu in sorted(os.sched_getaffinity(0)):
    _cpus.put(_cpu)


def submit(
    topology: Topology, workload: Workloads = None, **options: Unpack[RunOptions]
) -> Submitted:
    """As `run`, but at once the future of it; as many are under way as there are CPUs. What is wrong with the input
    is raised here, what goes wrong with the run by `result()`: MachineError, FolderTaken.
    """
    asked = request(topology, workload, **options)
    name = life.read(asked).plan.name
    future = Submitted()
    words = arguments(asked)
    threading.Thread(target=_wait, args=(future, words, asked.out, name), daemon=True).start()
    return future


def _wait(future: Submitted, words: list[str], out: Path | None, name: str) -> None:
    """Have a process of its own do it on the next free CPU."""
    cpu = _cpus.get()
    try:
        if future.set_running_or_notify_cancel():
            future.set_result(_in_process(future, [*words, "--cpu", str(cpu)], out, name))
    except Exception as error:
        future.set_exception(CancelledError() if future.ended else error)
    finally:
        _cpus.put(cpu)


def _in_process(future: Submitted, words: list[str], out: Path | None, name: str) -> Run:
    final = out or folder.reserved(name)
    command = [*again(), "run", *words, "--out", str(final)]
    with child(command, stdout=subprocess.PIPE) as process:
        future.begun(process)
        said, _ = process.communicate()
    if process.returncode:
        with suppress(OSError):
            final.rmdir()  # it was but reserved
        raise MachineError("\n".join(said.strip().splitlines()[-LAST_LINES:]))
    return Run(final)
