"""What the tests of whole runs share: each run is made once, and looked at by many tests."""

import fcntl
import functools
import hashlib
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

PATIENCE_S = 1800
"""On a machine that is busy with other things; what hangs in the guest ends by itself much sooner."""
HERE = Path(__file__).parent
ROOT = HERE.parents[1]


@dataclass(frozen=True)
class Done:
    """A command that has ended, and the run folder it was to fill."""

    status: int
    out: str
    complaint: str
    folder: Path

    @property
    def summary(self) -> dict[str, Any]:
        data: dict[str, Any] = json.loads((self.folder / "summary.json").read_text())
        return data


def started(*words: str | Path, cwd: Path = ROOT, **options: Any) -> subprocess.Popen[str]:
    """Start longhaul with a command line."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "200"}
    environment |= options.pop("env", {})
    return subprocess.Popen(
        [*options.pop("before", ()), sys.executable, "-m", "longhaul", *map(str, words)],
        cwd=cwd,
        env=environment,
        stdin=options.pop("stdin", subprocess.DEVNULL),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def longhaul(*words: str | Path, folder: Path = ROOT, **options: Any) -> Done:
    """Carry out a command line to its end."""
    typed = options.pop("typed", None)
    process = started(*words, stdin=subprocess.PIPE if typed else subprocess.DEVNULL, **options)
    try:
        out, complaint = process.communicate(typed, timeout=PATIENCE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        said = process.communicate()
        pytest.fail(
            f"longhaul {shlex.join(map(str, words))} took over {PATIENCE_S} s; it said\n{said}"
        )
    return Done(process.returncode, out, complaint, folder)


Runs = Callable[..., Done]


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory, kernel: Path) -> Runs:  # noqa: ARG001
    """Makes a run of a topology and a workload of this folder, or gives the one made before, by this
    process or by another that tests beside it."""
    base = tmp_path_factory.getbasetemp()
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "shared-runs"

    @functools.cache
    def run(topology: str, workload: str, *words: str, name: str = "run") -> Done:
        key = hashlib.sha256(repr((topology, workload, words, name)).encode()).hexdigest()[:16]
        place = shared / key
        place.mkdir(parents=True, exist_ok=True)
        with (place / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (place / "done.json").exists():
                files = (HERE / f"{topology}.yaml", "--workload", HERE / f"{workload}.yaml")
                done = longhaul("run", *files, "--out", place / name, *words, folder=place / name)
                said = {"status": done.status, "out": done.out, "complaint": done.complaint}
                (place / "done.json").write_text(json.dumps(said))
        done = Done(**json.loads((place / "done.json").read_text()), folder=place / name)
        assert done.status == 0, done.complaint
        return done

    return run
