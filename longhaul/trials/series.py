"""Many runs that differ in a few things: each done once, several at a time, and kept by what it is a function of.

In: trials. Out: their run folders under `runs/trials/`, named by a digest of the inputs and of the code. What is there
already is not run again, so an interrupted series goes on where it stopped.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from analysis.form.summary import TrainingSummary, read_summary
from longhaul import folder
from longhaul.code import code
from longhaul.machine import PATIENCE_S, ROOTS
from longhaul.machine.bundle import again
from longhaul.machine.child import child
from longhaul.runs.workloads import Chosen, load_workloads, own_overrides
from longhaul.trials.sound import discarded
from scenario.errors import LonghaulError
from scenario.factors import load_without
from scenario.types.topology import Topology, Training, Workload

_LAST_LINES = 8


class TrialFailed(LonghaulError):
    """A run of the series did not end well; the text says which, and what it said last.

    `reason` is the first line of that which tells of an error.
    """

    def __init__(self, trial: Trial, said: str) -> None:
        lines = [line for line in said.splitlines() if line.strip()]
        told = [line for line in lines if "error: " in line or line.startswith("longhaul: ")]
        self.reason = (told or lines or ["it said nothing"])[0].rpartition("error: ")[2]
        command = " ".join(["longhaul run", *trial.arguments()])
        head = f"this run of the series failed: {command}"
        super().__init__("\n  ".join([head, *lines[-_LAST_LINES:]]))


@dataclass(frozen=True)
class Trial:
    """One run: files, what is overridden in them, the factors switched off, the seed, the guest's root, how long to
    wait for a sign of life. With no `workload` the topology's own, of which the overrides are for the one that `trains`
    where there are several."""

    topology: Path
    workload: Path | None
    overrides: tuple[str, ...] = ()
    workload_overrides: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    seed: int = 1
    root: str = ROOTS[0]
    patience_s: float = PATIENCE_S
    trains: str | None = None

    def arguments(self) -> list[str]:
        """Of `longhaul run`, to do it alone."""
        words = [str(self.topology), "--seed", str(self.seed)]
        words += ["--workload", str(self.workload)] if self.workload else []
        words += [f"--set={text}" for text in self.overrides]
        words += [f"--set-workload={text}" for text in self._settings()]
        words += [f"--without={','.join(self.without)}"] if self.without else []
        words += [f"--root={self.root}"] if self.root != ROOTS[0] else []
        words += [f"--patience={self.patience_s:g}"] if self.patience_s != PATIENCE_S else []
        return words

    def read(self) -> tuple[Topology, Workload]:
        """What the files say: the topology, and of the workloads the one that trains. Raises InvalidInput."""
        topology, found = self._read()
        return topology, next((one for one in found if isinstance(one, Training)), found[0])

    def _read(self) -> tuple[Topology, list[Workload]]:
        chosen = (Chosen(self.workload),) if self.workload else ()
        topology = load_without(self.topology, self.overrides, self.without)
        own = own_overrides(topology, chosen, self._settings())
        topology = load_without(self.topology, (*self.overrides, *own), self.without)
        return topology, load_workloads(topology, chosen, self.workload_overrides)

    def _settings(self) -> list[str]:
        """As `--set-workload` has them."""
        return [
            f"{self.trains}:{text}" if self.trains else text for text in self.workload_overrides
        ]

    def digest(self) -> str:
        """Of all that the run is a function of: what the files come to, the seed, the code.

        Two trials that come to the same fabric are the same trial. Raises InvalidInput.
        """
        return self.digest_of(self.inputs())

    def inputs(self) -> str:
        """What the files come to; the same under every seed. Raises InvalidInput."""
        asked, found = self._read()
        topology, workloads = asdict(asked), [asdict(one) for one in found]
        for read in (topology, *workloads):
            del read["files"], read["source"], read["checks"]
        for name in ("factors", "workloads"):
            topology.pop(name)
        return json.dumps([topology, *workloads], sort_keys=True)

    def digest_of(self, inputs: str) -> str:
        """Its digest, where its `inputs` are known already."""
        what = json.dumps([inputs, self.seed, self.root, code()])
        return hashlib.sha256(what.encode()).hexdigest()[:20]


def carry_out(
    trials: Sequence[Trial], jobs: int, hear: Callable[[int, int], None]
) -> dict[Trial, Path]:
    """The run folder of every trial; those that are missing or damaged are run, `jobs` at a time, a CPU each.

    `hear` gets how many are done, and of how many. Raises InvalidInput, TrialFailed.
    """
    root = folder.RUNS / "trials"
    places = {trial: root / trial.digest() for trial in trials}
    for wrong in discarded((path, trial.seed) for trial, path in places.items() if path.is_dir()):
        print(f"longhaul: a kept run is damaged, and is run again: {wrong}", file=sys.stderr)
    missing = {path: trial for trial, path in places.items() if not path.is_dir()}
    hear(len(set(places.values())) - len(missing), len(set(places.values())))
    root.mkdir(parents=True, exist_ok=True)
    _run_missing(
        missing,
        jobs,
        lambda left: hear(len(set(places.values())) - left, len(set(places.values()))),
    )
    return places


def _run_missing(missing: dict[Path, Trial], jobs: int, left: Callable[[int], None]) -> None:
    runner = Runner()
    with ThreadPoolExecutor(jobs) as pool, _ended_early(pool, runner):
        waiting = [pool.submit(runner.run, trial, path) for path, trial in missing.items()]
        for count, done in enumerate(as_completed(waiting), start=1):
            done.result()
            left(len(missing) - count)


class Runner:
    """Runs trials, each in a process. Once it has been told to end, all that run do, and those that begin, too."""

    def __init__(self) -> None:
        self._processes: set[subprocess.Popen[str]] = set()
        self._ended = False

    def run(self, trial: Trial, path: Path) -> None:
        """Carry a trial out into a folder. Raises TrialFailed."""
        command = [*again(), "run", *trial.arguments(), "--out", str(path)]
        with child(command, stdout=subprocess.PIPE) as process:
            self._processes.add(process)
            if self._ended:
                process.terminate()
            said, _ = process.communicate()
            self._processes.discard(process)
        if not path.is_dir():
            raise TrialFailed(trial, said)

    def end(self) -> None:
        """End them all."""
        self._ended = True
        for process in tuple(self._processes):
            process.terminate()


@contextmanager
def _ended_early(pool: ThreadPoolExecutor, runner: Runner) -> Iterator[None]:
    """Whatever ends the block early, no further run is begun, and those under way end."""
    try:
        yield
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        runner.end()
        raise


def summary(path: Path) -> TrainingSummary:
    """What a finished trial found. Raises RunError where its file is damaged."""
    found = read_summary(path)
    assert isinstance(found, TrainingSummary), f"{path}: a trial trains"
    return found
