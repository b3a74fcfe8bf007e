"""How much memory a guest gets.

What a guest does not touch costs next to nothing: its memory is a file of holes, which is in no folder. So a run gets
what its plan asks for, which is the same on every machine; programs that somebody brings get what is left here.
"""

from __future__ import annotations

import re
from pathlib import Path

from longhaul.machine.init import PARTS_FOR_TCP

MIB = 2**20
BASE_BYTES = 768 * MIB
BYTES_PER_HOST = 48 * MIB
LEAST_BYTES = 256 * MIB
MOST_BYTES = 64 * 1024 * MIB
SHARE_FOR_PROGRAMS = 0.75
BUFFERED = 4
"""A byte under way is in its sender's buffer, after a loss in its receiver's, too, and buffers have room to spare."""
_CGROUPS = (
    (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current")),
    (
        Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
        Path("/sys/fs/cgroup/memory/memory.usage_in_bytes"),
    ),
)


def for_fabric(hosts: int, under_way_bytes: float = 0.0) -> int:
    """Bytes for a guest of so many hosts that runs nothing but longhaul's own, with so many bytes on its long-haul
    links: by the plan alone."""
    buffers = int(PARTS_FOR_TCP * BUFFERED * under_way_bytes) // MIB * MIB
    return max(BASE_BYTES + hosts * BYTES_PER_HOST, min(buffers, MOST_BYTES))


def for_programs(hosts: int) -> int:
    """Bytes for a guest in which hosts run somebody's programs: three quarters of what is free here."""
    free = int(min(available(), MOST_BYTES) * SHARE_FOR_PROGRAMS)
    return max(for_fabric(hosts), free // MIB * MIB)


def available() -> int:
    """Bytes that a new guest could take: of this machine's memory, and of its control group's."""
    return min(_of_machine(), _of_group())


def _of_machine() -> int:
    told = re.search(
        r"^MemAvailable:\s*(\d+) kB", Path("/proc/meminfo").read_text(encoding="utf-8"), re.M
    )
    return int(told[1]) * 1024 if told else MOST_BYTES


def _of_group() -> int:
    """What the control group of this process's root leaves; containers are limited so."""
    for limit, used in _CGROUPS:
        try:
            return max(int(limit.read_text()) - int(used.read_text()), 0)
        except (OSError, ValueError):  # not mounted, or `max`
            continue
    return MOST_BYTES
