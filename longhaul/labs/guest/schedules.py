"""A student's schedule as plain data, so that its code is carried out nowhere else. Runs inside a guest."""

from __future__ import annotations

from typing import Any

from traffic.collectives import ELEMENT_BYTES, Layout, make_schedule
from traffic.collectives.drawing import messages, written
from traffic.collectives.own import MANY


def written_out(file: str, function: str, campuses: list[int]) -> dict[str, Any]:
    """The steps of an all-reduce of `file:function`, as a file of one's own says them (docs/collectives.md)."""
    names = tuple(f"c{number}" for number, ranks in enumerate(campuses, 1) for _ in range(ranks))
    layout = Layout(names)
    size_bytes = ELEMENT_BYTES * MANY * layout.ranks
    made = make_schedule("all_reduce", f"{file}:{function}", layout, size_bytes)
    return written(messages(made), layout.ranks, size_bytes, "all_reduce", "own")
