"""Where the time of the ranks went: compute, sync wait, transfer, exposed communication.

In: events. Out: one table per question, in nanoseconds or, where the name ends in `_s`, seconds per
iteration. Definitions: `docs/analysis.md`; sync wait and transfer are those of the straggler study
(Lin et al., "Understanding Stragglers in Large Model Training Using What-if Analysis", OSDI'25).
"""

from __future__ import annotations

import polars as pl

from analysis.run import Run
from analysis.tables import NS

COLLECTIVE = ["iteration", "task", "group"]
"""What one collective is: ranks of one task that exchange messages, in one iteration."""


def members(events: pl.DataFrame) -> pl.DataFrame:
    """Which ranks take part together: rows of `task`, `rank`, `group` (its lowest rank).

    Ranks of one task that exchange messages, with each other or through others, are a group; where a
    task's messages are not recorded, all of its ranks are. Looked up in the first iteration: all others
    follow the same program.
    """
    events = events.filter(pl.col("iteration") == pl.col("iteration").min())
    ranks = events.filter(pl.col("kind") == "collective").select("task", "rank").unique()
    pairs = events.filter(pl.col("kind") == "send").select("task", "rank", "peer").unique()
    joined: dict[int, dict[int, int]] = {}
    for task, rank in ranks.sort("task", "rank").iter_rows():
        joined.setdefault(task, {})[rank] = rank
    for task, rank, peer in pairs.sort("task", "rank", "peer").iter_rows():
        _join(joined.get(task, {}), rank, peer)
    talking = set(pairs["task"].unique())
    rows = [
        (task, rank, _root(above, rank) if task in talking else min(above))
        for task, above in joined.items()
        for rank in above
    ]
    schema = pl.Schema({"task": pl.Int16, "rank": pl.Int32, "group": pl.Int32})
    return pl.DataFrame(rows, schema=schema, orient="row")


def collectives(events: pl.DataFrame) -> pl.DataFrame:
    """Per rank and collective: `last_start_ns`, `sync_wait_ns`, `transfer_ns`, `duration_ns`.

    Sync wait is `max_j start_j - start_r`, transfer `end_r - max_j start_j`. A rank that is done
    before the last has entered (the root of a broadcast) waited no longer than it took part: its
    transfer is 0. So the two always sum to the duration.
    """
    last = pl.col("start_ns").max().over(COLLECTIVE)
    return (
        _entries(events)
        .select("rank", *COLLECTIVE, "bytes", "start_ns", "end_ns", last.alias("last_start_ns"))
        .with_columns(
            sync_wait_ns=pl.min_horizontal("last_start_ns", "end_ns") - pl.col("start_ns"),
            transfer_ns=(pl.col("end_ns") - pl.col("last_start_ns")).clip(lower_bound=0),
            duration_ns=pl.col("end_ns") - pl.col("start_ns"),
        )
    )


def collective_times(events: pl.DataFrame) -> pl.DataFrame:
    """One row per collective: `transfer_ns` from the last rank's entry to the last rank's end."""
    return (
        _entries(events)
        .group_by(COLLECTIVE)
        .agg(
            pl.len().alias("ranks"),
            start_ns=pl.col("start_ns").max(),
            end_ns=pl.col("end_ns").max(),
            bytes=pl.col("bytes").max(),
        )
        .with_columns(transfer_ns=pl.col("end_ns") - pl.col("start_ns"))
        .sort(COLLECTIVE)
    )


def iterations(run: Run) -> pl.DataFrame:
    """One row per measured iteration: `begin_ns`, `end_ns`, `duration_ns`.

    An iteration ends when the last rank has ended it and begins when the one before has ended; so
    the durations sum to the whole time of training.
    """
    tasks = run.events.filter(pl.col("kind").is_in(["collective", "compute"]))
    return (
        tasks.group_by("iteration")
        .agg(end_ns=pl.col("end_ns").max(), first_ns=pl.col("ready_ns").min())
        .sort("iteration")
        .with_columns(begin_ns=pl.col("end_ns").shift().fill_null(pl.col("first_ns")))
        .filter(pl.col("iteration") >= run.warmup)
        .select(
            "iteration", "begin_ns", "end_ns", duration_ns=pl.col("end_ns") - pl.col("begin_ns")
        )
    )


def covered(events: pl.DataFrame) -> pl.DataFrame:
    """Per rank, from unions of intervals: `compute_ns`, `waiting_ns`, `moving_ns`, `hidden_ns`, `span_ns`.

    Exposed communication is the time covered by collectives and by no compute of the same rank (as
    Holistic Trace Analysis defines it). Of it, a rank is `moving` data while any of its collectives has all ranks in,
    and else `waiting`. `hidden` communication is what compute covers. `span_ns` is from the rank's first
    start to its last end.
    """
    sweep = (
        pl.concat([_edges(events, "start_ns", 1), _edges(events, "end_ns", -1)])
        .sort("rank", "at_ns")
        .with_columns(
            pl.col("computing", "communicating", "transferring").cum_sum().over("rank") > 0,
            length_ns=(pl.col("at_ns").shift(-1).over("rank") - pl.col("at_ns")).fill_null(0),
        )
    )
    length, computing = pl.col("length_ns"), pl.col("computing")
    communicating, transferring = pl.col("communicating"), pl.col("transferring")
    return sweep.group_by("rank").agg(
        compute_ns=length.filter(computing).sum(),
        waiting_ns=length.filter(communicating & ~transferring & ~computing).sum(),
        moving_ns=length.filter(transferring & ~computing).sum(),
        hidden_ns=length.filter(communicating & computing).sum(),
        span_ns=pl.col("at_ns").max() - pl.col("at_ns").min(),
    )


def by_rank(run: Run) -> pl.DataFrame:
    """Per rank, in seconds per measured iteration: compute, sync wait, transfer, exposed, hidden, idle.

    compute + exposed communication + idle is the rank's whole time, and sync wait + transfer are the exposed
    communication. A rank that does nothing is idle all the time.
    """
    per_iteration = NS / run.measured["iteration"].n_unique()
    exposed = pl.col("waiting_ns") + pl.col("moving_ns")
    whole_ns = iterations(run)["duration_ns"].sum()
    return (
        run.ranks.join(covered(run.measured), on="rank", how="left")
        .sort("rank")
        .with_columns(pl.col("span_ns").fill_null(whole_ns))
        .with_columns(pl.col("compute_ns", "waiting_ns", "moving_ns", "hidden_ns").fill_null(0))
        .select(
            *run.ranks.columns,
            compute_s=pl.col("compute_ns") * per_iteration,
            sync_wait_s=pl.col("waiting_ns") * per_iteration,
            transfer_s=pl.col("moving_ns") * per_iteration,
            exposed_communication_s=exposed * per_iteration,
            hidden_communication_s=pl.col("hidden_ns") * per_iteration,
            idle_s=(pl.col("span_ns") - pl.col("compute_ns") - exposed) * per_iteration,
        )
    )


def lateness(run: Run) -> pl.DataFrame:
    """Why ranks enter late, per rank in seconds per iteration.

    `late_begin_s` + `late_compute_s` is how much later than the mean a rank has computed: the last
    collective let it go later, or it computes longer. `compute_wait_s` is the sync wait that there would
    be had all begun together: what slow compute alone explains. A rank that computes nothing begins when
    its first task could; one without any task is left out.
    """
    computes = pl.col("kind") == "compute"
    tasks = run.measured.filter(pl.col("kind").is_in(["compute", "collective"]))
    per_iteration = tasks.group_by("rank", "iteration", maintain_order=True).agg(
        begin=pl.coalesce(pl.col("start_ns").filter(computes).min(), pl.col("ready_ns").min()),
        compute=(pl.col("end_ns") - pl.col("start_ns")).filter(computes).sum(),
    )
    begin, lasts = pl.col("begin"), pl.col("compute")
    return (
        per_iteration.select(
            "rank",
            late_begin_s=(begin - begin.mean().over("iteration")) * NS,
            late_compute_s=(lasts - lasts.mean().over("iteration")) * NS,
            compute_wait_s=(lasts.max().over("iteration") - lasts) * NS,
        )
        .group_by("rank", maintain_order=True)  # floats: another order, another last digit
        .mean()
    )


def by_group(ranks: pl.DataFrame, columns: list[str]) -> pl.DataFrame:
    """`by_rank` (with blame) averaged over the ranks of each group; blame is summed."""
    means = [name for name in ranks.columns if name.endswith("_s") and name != "blamed_s"]
    sums = ["blamed_s", "blamed_share", "last_to_enter"]
    return (
        ranks.group_by(columns, maintain_order=True)
        .agg(pl.len().alias("ranks"), pl.col(means).mean(), pl.col(sums).sum())
        .sort([pl.col("blamed_s"), *columns], descending=[True] + [False] * len(columns))
    )


def with_groups(rows: pl.DataFrame, events: pl.DataFrame) -> pl.DataFrame:
    """Some of the events, each with the group that its rank takes part in, null outside collectives."""
    return rows.join(members(events), on=["task", "rank"], how="left", maintain_order="left")


def _entries(events: pl.DataFrame) -> pl.DataFrame:
    """The collectives of every rank, with the group that it takes part in."""
    return with_groups(events.filter(pl.col("kind") == "collective"), events).with_columns(
        pl.col("group").fill_null(-1)
    )


def _join(above: dict[int, int], one: int, other: int) -> None:
    """Make two ranks members of one group: the higher root hangs below the lower one."""
    if one in above and other in above:
        low, high = sorted((_root(above, one), _root(above, other)))
        above[high] = low


def _root(above: dict[int, int], rank: int) -> int:
    while above[rank] != rank:
        above[rank] = above[above[rank]]
        rank = above[rank]
    return rank


def _edges(events: pl.DataFrame, column: str, step: int) -> pl.DataFrame:
    """The beginnings (`step` 1) or ends (`step` -1) of intervals: of compute, of collectives, of transfers."""
    parts = collectives(events)
    moving = parts.filter(pl.col("transfer_ns") > 0).with_columns(start_ns="last_start_ns")
    intervals = {
        "computing": events.filter(pl.col("kind") == "compute"),
        "communicating": parts,
        "transferring": moving,
    }
    return pl.concat(
        found.select(
            "rank",
            at_ns=pl.col(column),
            **{one: pl.lit(step if one == name else 0) for one in intervals},
        )
        for name, found in intervals.items()
    )
