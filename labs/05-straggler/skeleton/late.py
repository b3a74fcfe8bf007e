"""Lab 5 of [[ student ]]: who is late in events.parquet? The functions are called with the events of another
run, too.

Polars is there; so are DuckDB and pandas if your teacher has installed them.
"""

import polars as pl


def straggler(path: str, warmup: int) -> int:
    """The rank that the others wait for. Iterations below `warmup` do not count."""
    events = pl.read_parquet(path)
    raise NotImplementedError(f"task 1: {events.height} rows; iterations from {warmup} on count")


def slowdown(path: str, warmup: int) -> float:
    """Its mean compute time over the mean compute time of all the others."""
    raise NotImplementedError("task 2")


def cost_rank_s(path: str, warmup: int) -> float:
    """Seconds that ranks spend in the collective before the last one enters it, added up."""
    raise NotImplementedError("task 3")
