"""What the events of a timeline happen to: links and hosts, found by name or pattern."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from scenario.text.diagnostics import FEW, nearest, one_of
from scenario.text.tree import Problems, Steps
from scenario.topology.models import TopologyModel
from scenario.topology.timeline import OnHosts
from scenario.types.topology import Campus, LongHaul


@dataclass(frozen=True)
class Scene:
    """A topology before its timeline, and where complaints go."""

    written: TopologyModel
    campuses: tuple[Campus, ...]
    links: tuple[LongHaul, ...]
    problems: Problems

    def links_like(self, pattern: str) -> tuple[LongHaul, ...]:
        """The long-haul links that a pattern matches."""
        return tuple(link for link in self.links if fnmatchcase(link.name, pattern))

    def links_of(self, campus: str) -> tuple[str, ...]:
        """The long-haul links that end at a campus, by name."""
        return tuple(link.name for link in self.links if campus in (link.a, link.b))

    def hosts_of(self, campus: str) -> tuple[str, ...]:
        """The hosts of a campus, by name."""
        return tuple(h.name for c in self.campuses if c.name == campus for h in c.hosts)

    def hosts(self, steps: Steps, event: OnHosts) -> tuple[str, ...]:
        """The hosts that the event at `steps` names, by pattern or campus; complains of none."""
        if (event.hosts is None) == (event.campus is None):
            both = event.hosts is not None
            message = "both `hosts` and `campus`" if both else "no `hosts` and no `campus`"
            self.problems.add(steps, message, "one of the two says which hosts")
        if event.hosts is None or event.campus is not None:
            return self.hosts_of(event.campus or "")
        names = [host.name for campus in self.campuses for host in campus.hosts]
        found = matching(event.hosts, names)
        if not found:
            expected, hint = one_of(names, FEW), nearest(event.hosts, names)
            self.problems.add((*steps, "hosts"), "no host is called so", expected, hint)
        return found


def matching(pattern: str, names: Iterable[str]) -> tuple[str, ...]:
    """The names that a pattern with `*`, `?` or `[12]` matches."""
    return tuple(name for name in names if fnmatchcase(name, pattern))


def listed(what: str, names: Iterable[str], pattern: str) -> str:
    """`link c1-c2`; `links c1-c2 and c1-c3`; where there are more, their pattern: `links c1-*`."""
    every = list(names)
    if len(every) > 3:
        return f"{what}s {pattern}"
    *first, last = every or [""]
    return f"{what}s {', '.join(first)} and {last}" if first else f"{what} {last}"
