"""On which hosts workloads run: their `runs-on`, and what cannot be: no host at all, or one for two."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from itertools import combinations
from pathlib import Path
from typing import Protocol

from scenario.text.diagnostics import FEW, nearest, one_of
from scenario.text.tree import Problems, Steps
from scenario.types.topology import Campus, Host, Workload
from scenario.workload.common import Where, WorkloadModel
from scenario.workload.kinds import KINDS, WorkloadField


def placed_workloads(
    written: dict[str, WorkloadField],
    campuses: Sequence[Campus],
    problems: Problems,
    files: tuple[Path, ...],
) -> tuple[Workload, ...]:
    """A topology's own workloads. Complains of those that have no host, or share one."""
    hosts = [host for campus in campuses for host in campus.hosts]
    made = []
    for key, one in written.items():
        where = Where(problems, ("workloads", key), files)
        made.append(KINDS[one.kind][1](one, where))
        _check_name(key, one, where)
        _check_patterns(one.runs_on, hosts, where)
    for first, other in overlaps(made, hosts):
        message = f"{first.name} and {other.name} share {shared(first, other, hosts)}"
        steps: Steps = ("workloads", other.name)
        hint = "say with `runs-on` which campuses or hosts each runs on"
        problems.add((*steps, "runs-on") if other.on else steps, message, "other hosts", hint)
    return tuple(made)


def _check_name(key: str, written: WorkloadModel, where: Where) -> None:
    if written.name != key:
        where.add(("name",), "a workload of a topology is named by its key", key)


def _check_patterns(patterns: Sequence[str], hosts: Sequence[Host], where: Where) -> None:
    names = known_places(hosts)
    for index, pattern in enumerate(patterns):
        if not hosts_on([pattern], hosts):
            message = "no campus and no host is called so"
            where.add(("runs-on", index), message, one_of(names, FEW), nearest(pattern, names))


def known_places(hosts: Iterable[Host]) -> list[str]:
    """The names of all campuses, then those of all hosts."""
    every = list(hosts)
    return [*dict.fromkeys(host.campus for host in every), *(host.name for host in every)]


class Standing(Protocol):
    """A host, as written or planned."""

    @property
    def name(self) -> str:
        """Its own."""

    @property
    def campus(self) -> str:
        """Where it stands."""


def hosts_on(patterns: Sequence[str], hosts: Iterable[Standing]) -> list[str]:
    """The names of the hosts that patterns of campuses or hosts match; without any, all."""
    return [
        host.name
        for host in hosts
        if not patterns
        or any(fnmatchcase(name, one) for one in patterns for name in (host.name, host.campus))
    ]


def overlaps(
    workloads: Iterable[Workload], hosts: Sequence[Host]
) -> list[tuple[Workload, Workload]]:
    """Pairs of workloads that want a host for themselves, and the same one."""
    alone = [one for one in workloads if one.exclusive]
    return [(one, other) for one, other in combinations(alone, 2) if _both(one, other, hosts)]


def shared(one: Workload, other: Workload, hosts: Sequence[Host]) -> str:
    """The hosts that two workloads have in common, in a few words."""
    both = _both(one, other, hosts)
    more = f" and {len(both) - 3} more" if len(both) > 3 else ""
    return f"{', '.join(both[:3])}{more}"


def _both(one: Workload, other: Workload, hosts: Sequence[Host]) -> list[str]:
    theirs = set(hosts_on(other.on, hosts))
    return [name for name in hosts_on(one.on, hosts) if name in theirs]
