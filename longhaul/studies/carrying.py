"""Work, piece by piece, by a crew: whatever is known already is not done again, and what is found is stored at once.

In: pieces of work, each with the keys of the records that come of it. Out: nothing; the store has the records.
A run that another study is at is left to it.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Future, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from longhaul.studies.commissions import Commission, Done, put_down
from longhaul.studies.crews import Crew, CrewLost
from longhaul.studies.forecasting import Forecasts
from longhaul.studies.store import Record, Store

LOOK_S = 0.5


@dataclass(frozen=True)
class Parcel:
    """Forecasts or one run, and the keys of what is found."""

    keys: tuple[str, ...]
    work: Forecasts | Commission


@dataclass
class Tally:
    """How far a study is: keys wanted, done, failed; and since when it is under way."""

    wanted: int
    done: int = 0
    failed: int = 0
    here: int = 0
    """Done by this very process."""
    since_s: float = field(default_factory=time.monotonic)

    def count(self, records: Iterable[Record], *, here: bool) -> None:
        """Add what was found."""
        for record in records:
            self.done += 1
            self.failed += record.failed
            self.here += here

    @property
    def per_minute(self) -> float:
        """Points a minute, of those done by this process."""
        return 60 * self.here / max(time.monotonic() - self.since_s, 1e-6)

    @property
    def left_s(self) -> float | None:
        """Seconds left, if the rest goes as fast; None while nothing is done yet."""
        return (self.wanted - self.done) / self.per_minute * 60 if self.here else None


Hear = Callable[[Tally, Sequence[tuple[str, Record]]], None]
"""Takes how far it is, and what was found just now."""


@dataclass(frozen=True)
class Desk:
    """Where a study is worked on: by whom, what is known already, what others are at."""

    crew: Crew
    store: Store
    claims: Path


def carry_out(pieces: Sequence[Parcel], desk: Desk, hear: Hear, deadline_s: float) -> None:
    """Do all that is missing; after the deadline (of the monotonic clock) begin no more. Raises CrewLost."""
    _Carrying(pieces, desk, hear).until(deadline_s)


class _Carrying:
    def __init__(self, pieces: Sequence[Parcel], desk: Desk, hear: Hear) -> None:
        self.crew, self.store, self.claims = desk.crew, desk.store, desk.claims
        self.hear = hear
        keys = dict.fromkeys(key for piece in pieces for key in piece.keys)
        self.tally = Tally(len(keys))
        known = self.store.read(keys)
        once = {piece.keys: piece for piece in reversed(pieces)}  # points of equal settings are one
        self.waiting = deque(_missing(piece, known) for piece in reversed(once.values()))
        self.running: dict[Future[Any], tuple[Parcel, int]] = {}
        self.tally.count(known.values(), here=False)
        hear(self.tally, list(known.items()))

    def until(self, deadline_s: float) -> None:
        """Go on until all is done, or it is time."""
        try:
            while self.running or (self.waiting and time.monotonic() < deadline_s):
                if time.monotonic() < deadline_s:
                    self._fill()
                self._gather()
        finally:
            for _, claim in self.running.values():
                os.close(claim)

    def _fill(self) -> None:
        """Keep the crew busy. What others are at goes to the end, and is looked for in the store later."""
        for _ in range(len(self.waiting)):
            if len(self.running) >= self.crew.width:
                return
            piece = self.waiting.popleft()
            if not piece.keys:
                continue
            claim = self._claimed(piece)
            if claim is None:
                self.waiting.append(piece)
                continue
            known = self.store.read(piece.keys)  # another study may have done it just now
            if len(known) == len(piece.keys):
                os.close(claim)
                self._found(list(known.items()), here=False)
                continue
            work = piece.work
            future: Future[Any] = (
                self.crew.run(work) if isinstance(work, Commission) else self.crew.forecast(work)
            )
            self.running[future] = (piece, claim)

    def _claimed(self, piece: Parcel) -> int | None:
        """A lock on its first key, which goes with this process; None where somebody else has it."""
        self.claims.mkdir(parents=True, exist_ok=True)
        handle = os.open(self.claims / piece.keys[0], os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return None
        return handle

    def _gather(self) -> None:
        """Wait a little for something to be done; store it."""
        if not self.running:
            time.sleep(LOOK_S if self.waiting else 0)
            return
        done, _ = wait(self.running, LOOK_S, FIRST_COMPLETED)
        for future in done:
            piece, claim = self.running.pop(future)
            try:
                records = self._records(piece, future.result())
                pairs = list(zip(piece.keys, records, strict=True))
                self.store.write(pairs)  # before others may claim it
                (self.claims / piece.keys[0]).unlink(missing_ok=True)
            except (BrokenExecutor, CancelledError) as error:
                raise CrewLost(f"the workers are gone: {type(error).__name__} {error}") from None
            finally:
                os.close(claim)
            self._found(pairs, here=True)

    def _records(self, piece: Parcel, found: Done | list[Record]) -> list[Record]:
        if isinstance(found, list):
            return found
        assert isinstance(piece.work, Commission)
        if piece.work.folder:
            put_down(found, piece.work.folder)
        return [found.record]

    def _found(self, pairs: Sequence[tuple[str, Record]], *, here: bool) -> None:
        self.tally.count((record for _, record in pairs), here=here)
        self.hear(self.tally, pairs)


def _missing(piece: Parcel, known: dict[str, Record]) -> Parcel:
    """What is left of a piece."""
    if isinstance(piece.work, Commission):
        return Parcel(tuple(key for key in piece.keys if key not in known), piece.work)
    left = [
        pair for pair in zip(piece.keys, piece.work.settings, strict=True) if pair[0] not in known
    ]
    keys, settings = (tuple(column) for column in zip(*left, strict=True)) if left else ((), ())
    work = Forecasts(piece.work.files, settings, piece.work.causes)
    return Parcel(keys, work)
