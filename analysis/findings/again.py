"""What TCP's connections sent again, by their own counters. In: a run folder. Out: rows, and who did so when."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from analysis.tables import read_table

FILE = "retransmissions.parquet"
NEEDED = ("since_ns", "t_ns", "host", "peer", "packets")


def sent_again(run_dir: Path) -> pl.DataFrame:
    """The rows of `retransmissions.parquet` (docs/routing.md); none where there is no such file."""
    path = Path(run_dir) / FILE
    if path.is_file():
        return read_table(path, *NEEDED)
    columns = {name: pl.String if name in {"host", "peer"} else pl.Int64 for name in NEEDED}
    return pl.DataFrame(schema=pl.Schema(columns))


@dataclass(frozen=True)
class SentAgain:
    """By sender and receiver, the samples before which it had sent something again."""

    spans_ns: dict[tuple[str, str], list[tuple[int, int]]]

    @classmethod
    def of(cls, run_dir: Path) -> SentAgain:
        """Read them from a run folder."""
        found: dict[tuple[str, str], list[tuple[int, int]]] = {}
        rows = sent_again(run_dir).select("host", "peer", "since_ns", "t_ns")
        for host, peer, since_ns, t_ns in rows.iter_rows():
            found.setdefault((host, peer), []).append((since_ns, t_ns))
        return cls(found)

    def during(self, host: str, peer: str, begin_ns: int, end_ns: int) -> bool:
        """Whether a host may have sent something to another again between two moments."""
        spans = self.spans_ns.get((host, peer), ())
        return any(since < end_ns and t > begin_ns for since, t in spans)
