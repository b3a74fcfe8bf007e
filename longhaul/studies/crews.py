"""Who works points out: processes of this machine, or Dask's workers on others, behind the same two functions.

In: how many, or a scheduler's address. Out: a crew for as long as a `with` block takes; what ends it, ends its work.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from longhaul.code import code
from longhaul.studies.commissions import Commission, Done, carried_out
from longhaul.studies.forecasting import Forecasts, forecasts
from longhaul.studies.modellers import Modellers
from longhaul.studies.store import Record
from longhaul.trials.series import Runner
from scenario.errors import LonghaulError, WrongInput

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
        width = _checked(client, address)
        pool: Executor = client.get_executor(pure=False, retries=RETRIES)
        yield Crew(
            2 * width,  # one more waits at each, so that none idles
            travels=True,
            forecast=lambda asked: pool.submit(forecasts, asked),
            run=lambda commission: pool.submit(carried_out, commission),
        )


def _checked(client: Any, address: str) -> int:
    """How many threads there are, of workers that have this very longhaul. Raises NoCrew."""
    workers = client.ncores()
    if not workers:
        raise NoCrew(f"the scheduler at {address} has no workers: start `dask worker {address}`")
    other = sorted(name for name, theirs in client.run(_code).items() if theirs != code())
    if other:
        raise NoCrew(
            f"another longhaul than here on {', '.join(other)}: workers need this checkout"
        )
    return sum(workers.values())


def _code() -> str:
    return code()
