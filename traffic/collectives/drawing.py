"""A schedule as people see it: messages in steps, as a table, as SVG, or as a file of a user's own (`own`)."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from math import gcd
from typing import Any

from traffic.schedule import Kind, Piece, Schedule, matches

LANE, ROW, MARGIN = 72, 44, 36
COLOURS = {"copy": "#2563eb", "reduce": "#d97706"}

At = tuple[int, int]


@dataclass(frozen=True)
class Drawn:
    """A message: bytes of `source` that `sink` copies or adds at `to`, in a step counted from 0."""

    step: int
    source: int
    sink: int
    piece: Piece
    kind: Kind
    to: int
    channel: int


def messages(schedule: Schedule) -> list[Drawn]:
    """All messages, each in the earliest step that what it waits for allows. Raises ValueError for a
    schedule that cannot finish."""
    steps = _steps(schedule)
    found = []
    for (rank, index), (peer, there) in matches(schedule).items():
        send, receive = schedule[rank][index], schedule[peer][there]
        piece = Piece(send.offset, send.size)
        step = steps[peer, there]
        found.append(Drawn(step, rank, peer, piece, receive.kind, receive.offset, send.channel))
    return sorted(found, key=lambda drawn: (drawn.step, drawn.source, drawn.channel, drawn.piece))


def _steps(schedule: Schedule) -> dict[At, int]:
    """The step of every operation: a message is one behind those that it passes on or overwrites, and not
    before its bytes may be read or written."""
    receivers = matches(schedule)
    left: dict[At, int] = {}
    unlocks: dict[At, list[tuple[At, int]]] = defaultdict(list)
    for rank, ops in enumerate(schedule):
        for index, op in enumerate(ops):
            left[rank, index] = len(op.after) + (op.kind != "send")
            for other in op.after:
                behind = op.kind == "copy" or ops[other].kind != "send"
                unlocks[rank, other].append(((rank, index), int(behind)))
    for sent, received in receivers.items():
        unlocks[sent].append((received, 0))
    steps = dict.fromkeys(left, 0)
    free = deque(at for at, waits in left.items() if not waits)
    while free:
        at = free.popleft()
        for unlocked, later in unlocks[at]:
            steps[unlocked] = max(steps[unlocked], steps[at] + later)
            left[unlocked] -= 1
            if not left[unlocked]:
                free.append(unlocked)
    return steps


def cells(drawn: list[Drawn], ranks: int) -> list[list[str]]:
    """A row per step, a column per rank: where it sends to, with how many bytes."""
    rows: list[list[list[str]]] = [
        [[] for _ in range(ranks)] for _ in range(max((x.step for x in drawn), default=-1) + 1)
    ]
    totals: dict[tuple[int, int, int, str], int] = defaultdict(int)
    for x in drawn:
        totals[x.step, x.source, x.sink, x.kind] += x.piece.size
    for (step, source, sink, kind), size in totals.items():
        rows[step][source].append(f"{'+' if kind == 'reduce' else ''}→{sink} {size}")
    return [["\n".join(cell) for cell in row] for row in rows]


def svg(drawn: list[Drawn], ranks: int, title: str) -> str:
    """Ranks from left to right, steps downwards: an arrow per message, amber where it is added, blue where it
    is copied. `title` is text, not markup."""
    count = max((x.step for x in drawn), default=-1) + 1
    width, height = 2 * MARGIN + LANE * (ranks - 1), 3 * MARGIN + ROW * count
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}"'
            f' height="{height}" font-family="sans-serif" font-size="12">',
            f"<title>{escape(title)}</title>",
            '<rect width="100%" height="100%" fill="#fff"/>',
            *_heads(),
            *_lanes(ranks, count),
            *(_arrow(x) for x in drawn),
            "</svg>",
        )
    )


def _heads() -> Iterator[str]:
    for kind, colour in COLOURS.items():
        yield (
            f'<marker id="{kind}" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7"'
            f' orient="auto"><path d="M0 0L8 4L0 8z" fill="{colour}"/></marker>'
        )


def _lanes(ranks: int, steps: int) -> Iterator[str]:
    bottom = 2 * MARGIN + ROW * steps
    for rank in range(ranks):
        x = MARGIN + LANE * rank
        yield f'<text x="{x}" y="{MARGIN - 10}" text-anchor="middle">{rank}</text>'
        yield f'<path d="M{x} {MARGIN}V{bottom}" stroke="#d1d5db"/>'
    for step in range(steps):
        yield f'<text x="6" y="{2 * MARGIN + ROW * step}" fill="#6b7280">{step + 1}</text>'


def _arrow(x: Drawn) -> str:
    left, right = MARGIN + LANE * x.source, MARGIN + LANE * x.sink
    top = MARGIN + 12 + ROW * x.step
    says = f"{x.source} → {x.sink}, {x.kind} {x.piece.size} bytes at {x.piece.offset}"
    return (
        f'<path d="M{left} {top}L{right} {top + ROW - 16}" stroke="{COLOURS[x.kind]}" fill="none"'
        f' marker-end="url(#{x.kind})"><title>{says}</title></path>'
    )


def written(drawn: list[Drawn], ranks: int, size_bytes: int, op: str, name: str) -> dict[str, Any]:
    """The same as a file of a user's own says it (`scenario.workload.schedule`)."""
    chunk = gcd(size_bytes, *(n for x in drawn for n in (x.piece.offset, x.piece.size, x.to))) or 1
    steps: list[list[dict[str, Any]]] = [
        [] for _ in range(max((x.step for x in drawn), default=-1) + 1)
    ]
    for x in drawn:
        message = {"from": x.source, "to": x.sink, "chunk": x.piece.offset // chunk}
        message |= {"count": x.piece.size // chunk} if x.piece.size > chunk else {}
        message |= {"into": x.to // chunk} if x.to != x.piece.offset else {}
        steps[x.step].append(message | ({"do": "reduce"} if x.kind == "reduce" else {}))
    heading = {"longhaul": 1, "name": name, "kind": "schedule", "op": op, "ranks": ranks}
    return heading | {"chunks": max(size_bytes // chunk, 1), "steps": steps}
