"""Who works points out: processes of this machine, Dask's workers on others, or jobs of SLURM, behind two functions.

In: how many, or a scheduler's address. Out: a crew for as long as a `with` block takes; what ends it, ends its work.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from longhaul import folder
from longhaul.code import code
from longhaul.studies.commissions import Commission, Done, carried_out
from longhaul.studies.forecasting import Forecasts, forecasts
from longhaul.studies.modellers import Modellers
from longhaul.studies.store import Record
from longhaul.trials.series import Runner
from scenario.errors import LonghaulError, WrongInput

if TYPE_CHECKING:
    from distributed import Client

Work = TypeVar("Work")
Found = TypeVar("Found")
JOB_MEMORY = "4GB"
"""Of a job of SLURM: a guest of Colossus takes a third of that."""
RETRIES = 10
CONNECT_S = 10


class NoCrew(WrongInput):
    """A scheduler that cannot be reached, or whose workers cannot do the work."""


class CrewLost(LonghaulError):
    """All workers of a crew have gone."""


@dataclass(frozen=True)
class Crew:
    """So many at work at a time; `travels`: whether files must go with the work."""

    width: int
    travels: bool
    forecast: Callable[[Forecasts], Future[list[Record]]]
    run: Callable[[Commission], Future[Done]]


@contextmanager
def here(jobs: int) -> Iterator[Crew]:
    """Of this machine: runs in a process each on a CPU of its own, forecasts in as many processes."""
    runner = Runner()
    watchers = ThreadPoolExecutor(jobs)
    with Modellers(jobs) as modellers:
        try:
            yield Crew(
                jobs,
                travels=False,
                forecast=modellers.submit,
                run=lambda commission: watchers.submit(carried_out, commission, runner),
            )
        except BaseException:
            runner.end()
            raise
        finally:
            watchers.shutdown(wait=True, cancel_futures=True)


@contextmanager
def on_dask(address: str) -> Iterator[Crew]:
    """Of a Dask scheduler, such as tcp://10.0.0.1:8786. Workers need this very longhaul. Raises NoCrew."""
    from distributed import Client  # noqa: PLC0415 - half a second, for those who ask for it

    try:
        client = Client(address, timeout=CONNECT_S, set_as_default=False)
    except (OSError, ValueError) as error:
        raise NoCrew(f"no scheduler answers at {address}: {error}") from None
    with client:
        width = sum(client.ncores().values())
        if not width:
            raise NoCrew(
                f"the scheduler at {address} has no workers: start `dask worker {address}`"
            )
        yield _of(client, width)


@contextmanager
def on_slurm(jobs: int, directives: Sequence[str] = ()) -> Iterator[Crew]:
    """Of so many jobs of SLURM, each with one CPU, a Dask worker in it; they are cancelled in the end. `directives` are
    options of sbatch, as --partition=long. Raises NoCrew."""
    from dask_jobqueue import SLURMCluster  # noqa: PLC0415 - as above
    from distributed import Client  # noqa: PLC0415 - as above

    if not shutil.which("sbatch"):
        raise NoCrew("there is no sbatch here: --slurm is for a machine that submits jobs to SLURM")
    cluster = SLURMCluster(
        cores=1,
        processes=1,
        memory=JOB_MEMORY,
        python=sys.executable,
        local_directory=tempfile.gettempdir(),
        log_directory=str(folder.RUNS / "studies" / "slurm"),
        job_extra_directives=list(directives),
        job_name="longhaul-study",
        scheduler_options={"dashboard": False},
    )
    with cluster, Client(cluster, set_as_default=False) as client:
        _check_accepted(cluster.job_script())
        cluster.adapt(minimum_jobs=jobs, maximum_jobs=jobs)  # what ends early is replaced
        client.wait_for_workers(1)  # a queue has its own patience; Ctrl-C ends it
        yield _of(client, jobs)


def _check_accepted(script: str) -> None:
    """Ask SLURM whether it would take a job. Raises NoCrew with what it says."""
    with tempfile.NamedTemporaryFile("w", suffix=".sh") as file:
        file.write(script)
        file.flush()
        asked = subprocess.run(
            ["sbatch", "--test-only", file.name], capture_output=True, text=True, check=False
        )
    if asked.returncode:
        raise NoCrew(
            f"SLURM does not take the jobs: {asked.stderr.strip() or asked.stdout.strip()}"
        )


def _of(client: Client, width: int) -> Crew:
    """The workers of a scheduler, those that come later, too."""
    pool: Executor = client.get_executor(pure=False, retries=RETRIES)
    own = code()
    return Crew(
        2 * width,  # one more waits at each, so that none idles
        travels=True,
        forecast=lambda asked: pool.submit(_alike, own, forecasts, asked),
        run=lambda commission: pool.submit(_alike, own, carried_out, commission),
    )


def _alike(own: str, do: Callable[[Work], Found], work: Work) -> Found:
    """Do some work where longhaul is the same as where it was asked for. Raises NoCrew."""
    if code() != own:
        raise NoCrew(
            f"another longhaul than here on {os.uname().nodename}: workers need this checkout"
        )
    return do(work)
