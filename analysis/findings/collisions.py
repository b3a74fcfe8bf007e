"""Big connections that share a way while an equal one is idle, by the switches' hashes; and what that costs.

In: `equal_ways` of the workload in `plan.json`. Out: a `Collisions`; None where nothing collides. The cost is the
model's: an iteration over the ways taken, less one in which each big connection takes the way with least on it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from analysis.form.collisions import Collisions, Crowded

REMEDIES = (
    "connections dealt over the ways (routing.hash: pinned)",
    "more connections for each pair of ranks (collective.channels)",
    "another draw (routing.hash-seed)",
)


def collisions(workload: dict[str, Any]) -> Collisions | None:
    """Of a workload, as `plan.json` has it."""
    found = workload.get("equal_ways")
    if not found or found["iteration_s"] is None:
        return None
    crowded = sorted(_crowded(found["connections"]), key=lambda one: -one.carried_bytes)
    cost_s = max(found["iteration_s"] - found["dealt_out_s"], 0.0)
    return Collisions(
        connections=len(found["connections"]),
        crowded=crowded,
        cost_s=cost_s,
        cost_share=cost_s / found["iteration_s"],
    )


def _crowded(connections: list[dict[str, Any]]) -> Iterator[Crowded]:
    taken: dict[tuple[str, tuple[str, ...]], dict[str, list[dict[str, Any]]]] = defaultdict(dict)
    for connection in connections:
        for choice in connection["choices"]:
            at = taken[choice["switch"], tuple(choice["of"])]
            at.setdefault(choice["took"], []).append(connection)
    for (switch, ways), users in taken.items():
        fullest = max(users, key=lambda name: sum(one["bytes"] for one in users[name]))
        if len(users[fullest]) > 1 and len(users) < len(ways):
            yield Crowded(
                switch=switch,
                ways=len(ways),
                idle=len(ways) - len(users),
                interface=fullest,
                connections=[_name(one) for one in users[fullest]],
                carried_bytes=sum(one["bytes"] for one in users[fullest]),
            )


def _name(connection: dict[str, Any]) -> str:
    return f"{connection['from']} → {connection['to']}, channel {connection['channel']}"


def sentence(found: Collisions) -> str:
    """What it comes to, and what helps."""
    worst = found.crowded[0]
    where = f"at {worst.switch} {len(worst.connections)} of them take {worst.interface}"
    more = len(found.crowded) - 1
    elsewhere = f"; so it is at {more} more place{'s' if more > 1 else ''}" if more else ""
    return (
        f"Big connections share a way while an equal one is idle: {where}, and {worst.idle} of {worst.ways} "
        f"ways {'are' if worst.idle > 1 else 'is'} idle{elsewhere}. {cost(found)}"
    )


def cost(found: Collisions) -> str:
    """What it costs by the model, and what helps where it does."""
    if found.cost_share < 0.001:
        return "By the model this costs nothing: these ways are not what an iteration waits for."
    return (
        f"By the model this takes {found.cost_s:.3g} s of each iteration ({found.cost_share:.1%}). "
        f"It may help to have {' or '.join(REMEDIES)}."
    )
