"""Rank by rank: who waited for whom, and how long messages took. In: a run. Out: matrices for the page's script."""

from __future__ import annotations

from typing import Any

import polars as pl

from analysis.findings.blame import blame_matrix
from analysis.findings.stalls import collectives
from analysis.run import Run
from analysis.tables import NS

MOST_RANKS = 256
"""A page with more cells than these ranks have would be too large; groups of ranks are shown then."""
_US = 1e-6
Data = dict[str, Any]


def rank_heat(run: Run) -> Data | None:
    """Microseconds of each rank (row) for each other (column): `waited` per iteration, and the median message sent
    there (0: none); None where there are too many ranks, or one alone."""
    ranks = run.ranks["rank"].to_list()
    if not 1 < len(ranks) <= MOST_RANKS:
        return None
    count = run.measured["iteration"].n_unique()
    waited = blame_matrix(collectives(run.measured), ranks) / count / _US
    place = {rank: index for index, rank in enumerate(ranks)}
    sent = [[0] * len(ranks) for _ in ranks]
    medians = run.messages.group_by("src", "dst").agg(pl.col("message_ns").median())
    for src, dst, ns in medians.iter_rows():
        sent[place[src]][place[dst]] = round(ns * NS / _US)
    return {
        "ranks": run.ranks.select("rank", "name", "campus", "accelerator").rows(),
        "waited": waited.round().astype(int).tolist(),
        "sent": sent,
    }
