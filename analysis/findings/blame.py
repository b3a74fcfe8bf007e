"""Who was waited for: the sync wait of every rank, charged to the ranks that had not yet entered.

In: the waits of `analysis.findings.stalls.collectives`. Out: blame per rank, and a matrix of who waited for
whom. Each slice of waiting is divided equally among the ranks still missing: the Shapley value of
the maximum (the airport problem, Littlechild & Owen 1973). One straggler gets everything; eight
hosts of a slow generation share; lagging by microseconds costs microseconds.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from analysis.findings.stalls import COLLECTIVE
from analysis.tables import NS

Matrix = npt.NDArray[np.float64]


def blame_matrix(waits: pl.DataFrame, ranks: Sequence[int]) -> Matrix:
    """Seconds that one rank (row) waited for another (column), summed over all collectives.

    Rows and columns are in the order of `ranks`, ascending. A row sums to the rank's sync wait.
    Quadratic in ranks, linear in collectives.
    """
    matrix = np.zeros((len(ranks), len(ranks)))
    ordered = waits.sort(*COLLECTIVE, "start_ns", "rank")
    for one in ordered.partition_by(COLLECTIVE):
        places = np.searchsorted(ranks, one["rank"].to_numpy())
        starts = one["start_ns"].to_numpy().astype(np.float64)
        ends = one["end_ns"].to_numpy().astype(np.float64)
        matrix[np.ix_(places, places)] += _shares(starts - starts[0], ends - starts[0])
    return matrix * NS


def blame_by_rank(waits: pl.DataFrame, ranks: Sequence[int], iterations: int) -> pl.DataFrame:
    """Per rank: `blamed_s` (rank-seconds waited for it per iteration), share, times it was last."""
    blamed = blame_matrix(waits, ranks).sum(axis=0) / iterations
    total = float(blamed.sum())
    table = pl.DataFrame(
        {
            "rank": np.array(ranks, dtype=np.int32),
            "blamed_s": blamed,
            "blamed_share": blamed / total if total > 0 else np.zeros(len(ranks)),
        }
    )
    return table.join(_last(waits), on="rank", how="left").with_columns(
        pl.col("last_to_enter").fill_null(0)
    )


def between_groups(matrix: Matrix, groups: list[str]) -> tuple[list[str], list[list[float]]]:
    """The matrix summed over groups: (names, rows), in the order in which `groups` first names them.

    `groups` holds the group of each rank.
    """
    names = list(dict.fromkeys(groups))
    member = np.array([[group == name for name in names] for group in groups], dtype=np.float64)
    summed = member.T @ matrix @ member
    return names, [[float(value) for value in row] for row in summed]


def _shares(starts: Matrix, ends: Matrix) -> Matrix:
    """Who waited for whom in one collective, ranks ordered by entry, times from the first entry.

    `charge[k]` is what any rank that entered k-th costs a rank that was there from the beginning.
    """
    missing = np.arange(len(starts) - 1, 0, -1)
    charge = np.concatenate([[0.0], np.cumsum(np.diff(starts) / missing)])
    left = np.interp(ends, starts, charge)
    upto = np.minimum(charge[np.newaxis, :], left[:, np.newaxis])
    shares: Matrix = np.maximum(upto - charge[:, np.newaxis], 0.0)
    return shares


def _last(waits: pl.DataFrame) -> pl.DataFrame:
    """How often each rank was the last to enter; of equals, the lowest rank."""
    return (
        waits.sort("start_ns", "rank", descending=[True, False])
        .group_by(COLLECTIVE)
        .agg(pl.col("rank").first())
        .group_by("rank")
        .agg(last_to_enter=pl.len().cast(pl.Int64))
    )
