"""Which long-haul links traffic between two campuses takes, as the policy has it while all of them are up.

`longhaul.planning` asks the policy, and writes its answer into the plan; whoever reads a run asks here, and
need know nothing of policies. Where connections are spread by a hash, several paths are possible, each with its
share: which one a connection takes depends on its port numbers.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

EXPEDITED = 46
"""The DSCP of messages that are small and waited for: expedited forwarding. [RFC 3246]"""
SMALL_BYTES = 4096
"""A connection whose messages are all this small is EXPEDITED."""


@dataclass(frozen=True)
class PlannedPath:
    """Long-haul links by name, in their order, and the share of the connections that takes them."""

    links: tuple[str, ...]
    share: float


@dataclass(frozen=True)
class PlannedWay:
    """From campus `source` to campus `sink`: the paths of one class of traffic.

    `dscp` None: all traffic that no other class takes. `hosts`: the receivers that it is for, where those of a
    campus are dealt to several paths; with none it is for all of them.
    """

    source: str
    sink: str
    paths: tuple[PlannedPath, ...]
    dscp: int | None = None
    hosts: tuple[str, ...] = ()


class Ways:
    """The ways of a plan, to be asked host by host."""

    def __init__(self, ways: Iterable[PlannedWay]) -> None:
        self._ways: dict[tuple[str, str, int | None, str | None], frozenset[str]] = {}
        for way in ways:
            links = frozenset(link for path in way.paths for link in path.links)
            for host in way.hosts or (None,):
                self._ways[way.source, way.sink, way.dscp, host] = links

    def links(self, source: str, sink: str, host: str, largest_bytes: int) -> frozenset[str]:
        """The links that packets from campus `source` to `host` of campus `sink` may cross, on a connection
        whose largest message has so many bytes; none inside a campus, nor where nothing leads there."""
        classes = (EXPEDITED, None) if largest_bytes <= SMALL_BYTES else (None,)
        keys = ((source, sink, dscp, who) for dscp in classes for who in (host, None))
        return next((self._ways[key] for key in keys if key in self._ways), frozenset())
