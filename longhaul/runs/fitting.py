"""Does what a run keeps fit into its guest? Told when planning, with the scale or the memory that would do.

Payload that is only sent and received takes no memory: nobody writes it, and what comes is dropped. Where results are
verified every host keeps its whole buffer, and beside it room for what is to be added.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path

from longhaul.machine.init import PARTS_FOR_TCP
from longhaul.machine.memory import LEAST_BYTES, MIB, MOST_BYTES, for_fabric
from scenario.plan.types import Plan, filling_bytes
from scenario.text.diagnostics import Diagnostic, InvalidInput, complain
from scenario.text.include import read_document
from scenario.text.tree import place_of
from scenario.text.units import SIZE, write
from scenario.types.topology import Topology
from traffic.host.program import Program
from traffic.kind import Prepared

PER_HOST_BYTES = 16 * MIB
"""What a host's processes take at least, beside the guest's system, which takes LEAST_BYTES."""
NOT_TCPS = 1 - 1 / PARTS_FOR_TCP
"""The share of a guest's memory that TCP's buffers never hold."""
WHERE = ("scale", "bytes")


def guest_bytes(plan: Plan) -> int:
    """What a plan's guest gets: by its hosts, or, where more is on its long-haul links at once, by that."""
    under_way = sum(2 * filling_bytes(link) for link in plan.long_hauls())
    return for_fabric(len(plan.hosts) + len(plan.probes), under_way)


def check_fits(
    topology: Topology, plan: Plan, prepared: Iterable[Prepared], memory_bytes: int | None
) -> None:
    """Raises InvalidInput where the results that hosts keep cannot fit into a guest of so many bytes (None: as many as
    a plan's gets)."""
    count = len(plan.hosts) + len(plan.probes)
    has_bytes = memory_bytes or guest_bytes(plan)
    taken_bytes = LEAST_BYTES + count * PER_HOST_BYTES
    programs = [x.program for one in prepared for x in one.programs.values()]
    kept_bytes = sum(one.kept_bytes for one in programs if isinstance(one, Program))
    room = max(has_bytes * NOT_TCPS - taken_bytes, 1)
    if kept_bytes and kept_bytes > room:
        raise InvalidInput([_refusal(topology, kept_bytes, has_bytes, room, taken_bytes)])


def _refusal(topology: Topology, kept: int, guest: int, room: float, taken: int) -> Diagnostic:
    """With the least scale, and the least memory, that would do."""
    scale = rounded_up(topology.scale_bytes * kept / room)
    memory = rounded_up((kept + taken) / NOT_TCPS)
    root = read_document(Path(topology.source)).root
    hint = f"scale: {{bytes: {scale:,.0f}}}".replace(",", "")
    if memory <= MOST_BYTES:
        hint += f", or --memory {write(memory, SIZE)}; or verify nothing (`verify: false`, no `--check`)"
    return complain(
        place_of(root, WHERE),
        f"results that are verified take {_size(kept)} of memory on all hosts together",
        path=".".join(WHERE),
        found=f"{topology.scale_bytes:,.10g}",
        expected=f"no more than the {_size(room)} that the guest has for them (of {_size(guest)})",
        hint=hint,
    )


def rounded_up(value: float) -> float:
    """To two digits."""
    step = 10.0 ** (math.floor(math.log10(value)) - 1)
    return math.ceil(value / step) * step


def _size(count: float) -> str:
    return f"{count / 1e9:.2f} GB" if count < 1e11 else f"{count / 1e9:,.0f} GB"
