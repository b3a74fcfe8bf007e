"""Which CPU a guest is pinned to: one that no other guest of this machine has, as long as there is one.

A guest that runs holds a name that it alone can have, an abstract Unix socket's. The kernel takes it back however
its holder ends, and users and checkouts see each other's.
"""

from __future__ import annotations

import errno
import itertools
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def taken(wanted: int | None = None) -> Iterator[int]:
    """The CPU that is wanted, or else of those that the fewest guests have the last: interrupts tend to land on the
    first."""
    choice = sorted(os.sched_getaffinity(0), reverse=True) if wanted is None else [wanted]
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as mark:
        yield next(
            cpu for guests in itertools.count() for cpu in choice if _marked(mark, cpu, guests)
        )


def _marked(mark: socket.socket, cpu: int, guests: int) -> bool:
    """Is ours now the mark of a guest on a CPU beside so many others?"""
    try:
        mark.bind(f"\0longhaul: a guest on CPU {cpu}, beside {guests}")
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        return False
    return True
