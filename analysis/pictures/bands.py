"""The timeline's events as bands along a time axis: where each lies, in which row, what it says.

In: incidents, and the stretch of time that is shown. Out: bands for the page's script, and a picture of the
whole run for paper: its iterations in a row, the events below them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from analysis import units
from analysis.findings.incidents import Cost, Incident, with_others
from analysis.findings.stalls import iterations
from analysis.pictures.charts import Tick, nice_ticks, time_labels
from analysis.run import Run
from analysis.tables import NS

MOST_ROWS = 16
"""Events that the picture for paper has room for; the costliest are kept."""
_US = 1000
_LEFT, _RIGHT, _TOP, _ROW = 224.0, 1150.0, 24.0, 22.0


@dataclass(frozen=True)
class Band:
    """One occurrence of an event: microseconds from the begin of what is shown, its row in the
    strip, and the lanes that it strikes (empty: all)."""

    name: str
    says: str
    begin_us: int
    end_us: int
    row: int
    lanes: tuple[int, ...]

    def as_data(self) -> list[object]:
        """As the page's script reads it."""
        return [self.name, self.says, self.begin_us, self.end_us, self.row, list(self.lanes)]


@dataclass(frozen=True)
class Cell:
    """A rectangle of the picture: place, what it says, and whether it stands out."""

    x: float
    width: float
    title: str
    marked: bool = False


@dataclass(frozen=True)
class EventRow:
    """A named event of the picture: its occurrences, and what it cost."""

    y: float
    label: str
    cost: str
    boxes: tuple[Cell, ...]


@dataclass(frozen=True)
class EventPicture:
    """The run as a strip of iterations, with the timeline's events below it."""

    height: float
    ticks: tuple[Tick, ...]
    iterations: tuple[Cell, ...]
    rows: tuple[EventRow, ...]
    left_out: int


def bands(
    found: Sequence[Incident], begin_ns: int, end_ns: int, lanes: Sequence[str]
) -> tuple[Band, ...]:
    """The occurrences within [begin, end); those that overlap lie in different rows.

    `lanes` names the host of each lane.
    """
    inside = sorted(
        (max(begin, begin_ns), min(end, end_ns), one)
        for one in found
        for begin, end in one.spans_ns
        if begin < end_ns and end > begin_ns
    )
    free_from: list[int] = []
    made = []
    for begin, end, one in inside:
        row = next((i for i, free in enumerate(free_from) if free <= begin), len(free_from))
        free_from[row:] = [end, *free_from[row + 1 :]]
        struck = tuple(i for i, host in enumerate(lanes) if host in one.hosts and not one.links)
        edges = (begin - begin_ns) // _US, (end - begin_ns) // _US
        made.append(Band(one.name, one.says, *edges, row, struck))
    return tuple(made)


def event_picture(run: Run, costs: Sequence[Cost]) -> EventPicture | None:
    """The whole run on one axis; None where nothing happened."""
    if not costs:
        return None
    found = iterations(run)
    begin_ns, end_ns = int(found["begin_ns"][0]), int(found["end_ns"][-1])
    kept = sorted(costs, key=lambda one: -(one.cost_s or 0.0))[:MOST_ROWS]
    scale = (_RIGHT - _LEFT) / max(end_ns - begin_ns, 1)

    def box(begin: int, end: int, title: str, *, marked: bool = False) -> Cell:
        first, last = max(begin, begin_ns), min(end, end_ns)
        width = max((last - first) * scale, 1.5)
        return Cell(_LEFT + (first - begin_ns) * scale, width, title, marked)

    touched = {number for one in costs for number in one.touched}
    strip = tuple(
        box(b, e, f"iteration {n}: {units.time((e - b) * NS, 4)}", marked=n in touched)
        for n, b, e, _ in found.iter_rows()
    )
    rows = tuple(
        EventRow(
            y=_TOP + _ROW * (index + 1) + 8,
            label=one.incident.name,
            cost=cost_text(one),
            boxes=tuple(
                box(b, e, f"{one.incident.says}, {_when(b, e)}")
                for b, e in one.incident.spans_ns
                if b < end_ns and e > begin_ns
            ),
        )
        for index, one in enumerate(one for one in costs if one in kept)
    )
    seconds = nice_ticks(begin_ns * NS, end_ns * NS, 8)
    places = [_LEFT + (s / NS - begin_ns) * scale for s in seconds]
    return EventPicture(
        height=_TOP + _ROW * (len(rows) + 1) + 12,
        ticks=tuple(map(Tick, places, time_labels(seconds))),
        iterations=strip,
        rows=rows,
        left_out=len(costs) - len(kept),
    )


def cost_text(cost: Cost) -> str:
    """What an incident cost, in words."""
    if not cost.touched:
        return "touched no measured iteration"
    if cost.cost_s is None:
        return "no untouched iteration to compare with"
    return f"cost {units.time(cost.cost_s)}" + with_others(cost.together)


def _when(begin_ns: int, end_ns: int) -> str:
    return f"{units.time(begin_ns * NS, 4)} to {units.time(end_ns * NS, 4)}"
