"""Runs from Python: one, waited for; or several at a time, each in a process and on a CPU of its own.

In: a topology and workloads. Out: a `Run`, or the future of one.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from longhaul import folder
from longhaul.api.inputs import Topology, Workload
from longhaul.api.results import Run
from longhaul.machine.child import child
from longhaul.machine.dispatch import MachineError
from longhaul.runs import life
from longhaul.runs.life import Request
from longhaul.runs.workloads import Chosen
from scenario.workload.probing import probing_of

PATIENCE_S = 300.0
PROBE_INTERVAL_S = 0.01
LAST_LINES = 8
Hear = Callable[[dict[str, Any]], None]
Workloads = Workload | Sequence[Workload] | None


def run(  # noqa: PLR0913 - what a run can be told
    topology: Topology,
    workload: Workloads = None,
    *,
    seed: int = 1,
    time: str = "virtual",
    machine: str = "auto",
    without: Sequence[str] = (),
    probe: Sequence[str] = (),
    capture: Sequence[str] = (),
    out: str | Path | None = None,
    cpu: int | None = None,
    patience_s: float = PATIENCE_S,
    hear: Hear | None = None,
) -> Run:
    """Carry out a workload on a topology, and wait for it. Without a workload: the topology's own, else one step of
    training. `without` names factors that are switched off, `probe` and `capture` long-haul links; `hear` gets the
    progress, message by message. Ctrl-C ends the guest.

    Raises InvalidInput, MachineError, FolderTaken.
    """
    asked = request(
        topology, workload, seed=seed, time=time, machine=machine, without=without, probe=probe,
        capture=capture, out=out, cpu=cpu, patience_s=patience_s,
    )  # fmt: skip
    return Run(life.run(asked, hear or (lambda _: None)))


def request(  # noqa: PLR0913
    topology: Topology,
    workload: Workloads = None,
    *,
    seed: int = 1,
    time: str = "virtual",
    machine: str = "auto",
    without: Sequence[str] = (),
    probe: Sequence[str] = (),
    capture: Sequence[str] = (),
    out: str | Path | None = None,
    cpu: int | None = None,
    patience_s: float = PATIENCE_S,
) -> Request:
    """What `run` hands to the machine; its `command` is the command line that does the same."""
    workloads = chosen(workload)
    asked = Request(
        topology=topology.file(),
        workloads=tuple(Chosen(one.file(), one.on) for one in workloads),
        overrides=topology.overrides,
        seed=seed,
        time=time,
        machine=machine,
        out=Path(out) if out else None,
        cpu=cpu,
        patience_s=patience_s,
        command=(),
        without=tuple(without),
        workload_overrides=_settings(workloads),
        probing=probing_of(tuple(probe), PROBE_INTERVAL_S),
        capture=tuple(capture),
    )
    return _with_command(asked, tuple(probe))


def chosen(workload: Workloads) -> tuple[Workload, ...]:
    """None, one or several workloads, as several."""
    if workload is None:
        return ()
    return (workload,) if isinstance(workload, Workload) else tuple(workload)


def _settings(workloads: Sequence[Workload]) -> tuple[str, ...]:
    """The changes of each workload; where there are several, with its name before them."""
    several = len(workloads) > 1
    return tuple(
        f"{one.elaborated.name}:{text}" if several else text
        for one in workloads
        for text in one.overrides
    )


def _with_command(asked: Request, probe: Sequence[str]) -> Request:
    return replace(asked, command=("longhaul", "run", *arguments(asked, probe)))


def arguments(asked: Request, probe: Sequence[str] = ()) -> list[str]:
    """Of `longhaul run`, to do the same."""
    words = [str(asked.topology), "--seed", str(asked.seed)]
    for one in asked.workloads:
        words += ["--workload", str(one.path) + (f"@{','.join(one.on)}" if one.on else "")]
    words += [f"--set={text}" for text in asked.overrides]
    words += [f"--set-workload={text}" for text in asked.workload_overrides]
    lists = {"without": asked.without, "probe": probe, "capture": asked.capture}
    words += [f"--{name}={','.join(listed)}" for name, listed in lists.items() if listed]
    words += [f"--time={asked.time}"] if asked.time != "virtual" else []
    words += [f"--machine={asked.machine}"] if asked.machine != "auto" else []
    return words


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


def submit(topology: Topology, workload: Workloads = None, **options: Any) -> Submitted:
    """As `run`, but at once the future of it; as many are under way as there are CPUs. What is wrong with the input
    is raised here, what goes wrong with the run by `result()`: MachineError, FolderTaken.
    """
    options.pop("cpu", None)
    out = options.pop("out", None)
    asked = request(topology, workload, **options)
    name = life.read(asked).plan.name
    future = Submitted()
    words = arguments(asked, options.get("probe", ()))
    threading.Thread(target=_wait, args=(future, words, out, name), daemon=True).start()
    return future


def _wait(future: Submitted, words: list[str], out: str | Path | None, name: str) -> None:
    """Have a process of its own do it on the next free CPU."""
    cpu = _cpus.get()
    try:
        if future.set_running_or_notify_cancel():
            future.set_result(_in_process(future, [*words, "--cpu", str(cpu)], out, name))
    except Exception as error:
        future.set_exception(CancelledError() if future.ended else error)
    finally:
        _cpus.put(cpu)


def _in_process(future: Submitted, words: list[str], out: str | Path | None, name: str) -> Run:
    final = Path(out) if out else folder.reserved(name)
    command = [sys.executable, "-P", "-m", "longhaul", "run", *words, "--out", str(final)]
    with child(command, stdout=subprocess.PIPE) as process:
        future.begun(process)
        said, _ = process.communicate()
    if process.returncode:
        with suppress(OSError):
            final.rmdir()  # it was but reserved
        raise MachineError("\n".join(said.strip().splitlines()[-LAST_LINES:]))
    return Run(final)
