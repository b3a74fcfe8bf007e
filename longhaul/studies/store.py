"""What is known already, by the digest of what it is a function of: one SQLite file that all studies share.

Each record is written in a transaction of its own, so that whatever is killed, at any moment, leaves whole records; and
many studies at once read and write it. A record that is there is never replaced, but for one that failed.
"""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec

from longhaul import folder
from scenario.errors import LonghaulError
from scenario.topology.links import IS_DOWN

_SCHEMA = "CREATE TABLE IF NOT EXISTS records (key TEXT PRIMARY KEY, failed INTEGER NOT NULL, record BLOB NOT NULL)"
_WRITE = """INSERT INTO records VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE
SET failed = excluded.failed, record = excluded.record WHERE records.failed"""
_AT_ONCE = 500
PATIENCE_S = 60.0


class RecordsUnusable(LonghaulError):
    """What studies know can be neither read nor added to."""


class Record(msgspec.Struct, frozen=True):
    """What one run, or one forecast, found: figures by path, in SI; or the reason why there are none."""

    figures: dict[str, float] = {}
    verdict: str | None = None
    digest: str = ""
    faithful: bool = True
    reason: str | None = None

    @property
    def down(self) -> bool:
        """Whether a link carries nothing there, so that there is nothing to run: an answer, not a failure."""
        return self.reason is not None and self.reason.startswith(IS_DOWN)

    @property
    def failed(self) -> bool:
        """Whether it was tried, or could not be, and is no answer."""
        return self.reason is not None and not self.down


class Store:
    """Records by key. All of it raises RecordsUnusable; the making, FolderTaken."""

    def __init__(self, path: Path) -> None:
        folder.make(path.parent)
        self.path = path
        with self._open() as base:
            base.execute("PRAGMA journal_mode=WAL")
            base.execute(_SCHEMA)

    def read(self, keys: Iterable[str]) -> dict[str, Record]:
        """Those of some keys that are there."""
        asked = list(dict.fromkeys(keys))
        found: dict[str, Record] = {}
        with self._open() as base:
            for first in range(0, len(asked), _AT_ONCE):
                some = asked[first : first + _AT_ONCE]
                marks = ",".join("?" * len(some))
                rows = base.execute(f"SELECT key, record FROM records WHERE key IN ({marks})", some)
                found |= {key: _unpacked(packed) for key, packed in rows}
        return found

    def write(self, records: Iterable[tuple[str, Record]]) -> None:
        """Add some, all or none of them."""
        rows = [(key, one.failed, _packed(one)) for key, one in records]
        with self._open() as base:
            base.executemany(_WRITE, rows)

    def forget_failed(self, keys: Iterable[str]) -> None:
        """Those of some keys that failed are as if they had never been tried."""
        with self._open() as base:
            base.executemany(
                "DELETE FROM records WHERE failed AND key = ?", [(key,) for key in keys]
            )

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """The file, in a transaction. A connection of its own each time: threads and forks may use it."""
        try:
            with closing(sqlite3.connect(self.path, timeout=PATIENCE_S)) as base, base:
                yield base
        except (sqlite3.Error, zlib.error, msgspec.DecodeError) as error:
            hint = "moved elsewhere, it is begun anew"
            raise RecordsUnusable(f"{self.path}: what studies know: {error}; {hint}") from None


def _packed(record: Record) -> bytes:
    return zlib.compress(msgspec.json.encode(record))


def _unpacked(packed: bytes) -> Record:
    return msgspec.json.decode(zlib.decompress(packed), type=Record)
