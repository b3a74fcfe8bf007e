"""Processes of this machine that make forecasts, each fed by a thread through a pipe.

The standard library's pools of processes have named semaphores, which stay in /dev/shm when all of a study is killed at
once. A pipe goes with its ends.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import threading
from concurrent.futures import BrokenExecutor, Future, ThreadPoolExecutor
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from types import TracebackType

from longhaul.studies.forecasting import Forecasts, forecasts
from longhaul.studies.store import Record

_PR_SET_PDEATHSIG = 1


class Modellers:
    """So many processes, each begun when there is work for it; they end with the block."""

    def __init__(self, jobs: int) -> None:
        self._threads = ThreadPoolExecutor(jobs)
        self._own = threading.local()
        self._begun: list[tuple[SpawnProcess, Connection]] = []

    def __enter__(self) -> Modellers:
        return self

    def __exit__(self, _: object, error: BaseException | None, __: TracebackType | None) -> None:
        for process, _ in self._begun if error else ():
            process.kill()
        self._threads.shutdown(wait=True, cancel_futures=True)
        for process, end in self._begun:
            end.close()
            process.join()

    def submit(self, asked: Forecasts) -> Future[list[Record]]:
        """Forecasts, as soon as a process is free. Its result raises BrokenExecutor where the process was killed."""
        return self._threads.submit(self._made, asked)

    def _made(self, asked: Forecasts) -> list[Record]:
        if not hasattr(self._own, "end"):
            self._own.end = self._begin()
        try:
            self._own.end.send(asked)
            found: list[Record] | Exception = self._own.end.recv()
        except (EOFError, OSError):
            raise BrokenExecutor("a process that made forecasts has ended") from None
        if isinstance(found, Exception):
            raise found
        return found

    def _begin(self) -> Connection:
        """Our end of the pipe of a new process."""
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=_work, args=(theirs, os.getpid()), daemon=True)
        process.start()
        theirs.close()
        self._begun.append((process, ours))
        return ours


def _work(end: Connection, parent: int) -> None:
    """Make forecasts until nobody asks any more."""
    _die_with_parent(parent)
    with suppress(EOFError, OSError):
        while True:
            asked = end.recv()
            try:
                found: list[Record] | Exception = forecasts(asked)
            except Exception as error:
                found = error
            end.send(found)


def _die_with_parent(parent: int) -> None:
    """However the process that started this one ends, or has ended by now, it ends, too; Ctrl-C is theirs to hear."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
