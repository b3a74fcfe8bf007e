"""Lab 4: a student's all-reduce: its sums, its bytes over the borders, its time beside the ring's.

The code runs in a guest and leaves steps as data; those are carried out in memory, then on the fabric.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import yaml

from analysis.form.benchmark import MeasuredCase
from longhaul.api.inputs import Topology, topology
from longhaul.labs.attempt import Attempt, Marked, unread
from longhaul.labs.calls import Answered, Call
from longhaul.labs.draws import Drawn
from longhaul.labs.exercises.crossover import compared
from longhaul.labs.guest import schedules
from scenario.errors import LonghaulError
from scenario.workload.schedule import WrittenSchedule, load_schedule
from traffic.collectives import ELEMENT_BYTES, Layout, make_schedule

FILE, FUNCTION = "schedule.py", "all_reduce"
SIZE = 64e6
SCALE = 100


def campuses(drawn: Drawn) -> list[int]:
    """Hosts of each campus."""
    return [int(word) for word in str(drawn["campuses"]).split("+")]


def mark(work: Attempt) -> Iterator[Marked]:
    """Sums and bytes for the student's own campuses and for others; time and sums in the fabric for the
    student's own."""
    layouts = [campuses(one) for one in work.every]
    answers = work.called(
        [
            Call(
                str(schedules.__file__),
                "written_out",
                {"file": FILE, "function": FUNCTION, "campuses": one},
            )
            for one in layouts
        ]
    )
    found = [_read(work, answer, one) for answer, one in zip(answers, layouts, strict=True)]
    yield _sums(work, layouts, found)
    yield _bytes(layouts, found)
    yield _faster(work, found[0])


def _read(
    work: Attempt, answer: Answered, layout: list[int]
) -> tuple[str, WrittenSchedule | None, str]:
    """A file of the steps, what it says, and what is wrong with it."""
    if why := unread(answer, dict):
        return "", None, why
    path = work.kept("schedule.yaml", yaml.safe_dump(answer.value, sort_keys=False))
    names = tuple(f"c{number}" for number, ranks in enumerate(layout) for _ in range(ranks))
    try:
        written = load_schedule(path)
        size = ELEMENT_BYTES * written.chunks * sum(layout)
        make_schedule("all_reduce", str(path), Layout(names), size)
    except (LonghaulError, ValueError) as error:
        return str(path), None, str(error)[:400]
    return str(path), written, ""


def _sums(
    work: Attempt, layouts: list[list[int]], found: list[tuple[str, WrittenSchedule | None, str]]
) -> Marked:
    """In memory for all, with real numbers in the fabric for the student's own."""
    asked = f"every host ends with the sum of all, in campuses of {layouts[0]}, and for {len(layouts) - 1} others"
    for layout, (_, _, why) in zip(layouts, found, strict=True):
        if why:
            return Marked("sums", False, asked, f"campuses of {layout}: {why}")
    wrong = _rows(work, found[0][0])[0].wrong
    return Marked("sums", wrong == 0, asked, f"{wrong} wrong results in the fabric")


def crossing(written: WrittenSchedule, layout: list[int]) -> dict[int, Fraction]:
    """What each campus sends to others, as a share of the buffer."""
    home = [number for number, ranks in enumerate(layout) for _ in range(ranks)]
    found = dict.fromkeys(range(len(layout)), Fraction(0))
    for one in (transfer for step in written.steps for transfer in step):
        if home[one.source] != home[one.sink]:
            found[home[one.source]] += Fraction(one.count, written.chunks)
    return found


def _bytes(
    layouts: list[list[int]], found: list[tuple[str, WrittenSchedule | None, str]]
) -> Marked:
    """Exactly 2(C−1)/C of the buffer out of each campus."""
    asked = f"{due(layouts[0])} of the buffer out of each campus, exactly"
    for layout, (_, written, why) in zip(layouts, found, strict=True):
        if written is None:
            return Marked("border-bytes", False, asked, why)
        sent = crossing(written, layout)
        if any(share != due(layout) for share in sent.values()):
            said = ", ".join(map(str, sent.values()))
            return Marked("border-bytes", False, asked, f"campuses of {layout}: {said}")
    return Marked("border-bytes", True, asked, f"{due(layouts[0])} out of each")


def due(layout: list[int]) -> Fraction:
    """2(C−1)/C"""
    return Fraction(2 * (len(layout) - 1), len(layout))


def fabric(drawn: Drawn) -> Topology:
    """Campuses of those sizes, each joined with the next."""
    layout = campuses(drawn)
    names = [f"c{number}" for number in range(1, len(layout) + 1)]
    pairs = [(a, b) for at, a in enumerate(names) for b in names[at + 1 :]]
    hosts = {"accelerator": "H100", "gpus": 8}
    length = f"{drawn['distance_km']}km"
    return topology(
        "campuses",
        scale={"bytes": SCALE},
        campuses={
            n: {"hosts": [{"count": count} | hosts]} for n, count in zip(names, layout, strict=True)
        },
        links={
            f"{a}-{b}": {"between": [a, b], "distance": length, "rate": "400Gbit/s"}
            for a, b in pairs
        },
    )


def _rows(work: Attempt, path: str) -> list[MeasuredCase]:
    return work.bench(fabric(work.drawn), compared((path, "ring"), (SIZE,), verify=True))


def _faster(work: Attempt, own: tuple[str, WrittenSchedule | None, str]) -> Marked:
    """Beside the ring, on the same fabric."""
    path, written, why = own
    asked = f"an all-reduce of {SIZE / 1e6:g} MB takes less time than by the ring"
    if written is None:
        return Marked("faster", False, asked, why)
    mine, ring = _rows(work, path)
    said = f"{mine.p50_s * 1e3:.2f} ms, the ring {ring.p50_s * 1e3:.2f} ms"
    return Marked("faster", mine.p50_s < ring.p50_s, asked, said)
