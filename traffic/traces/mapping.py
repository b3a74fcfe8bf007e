"""A trace's ranks onto hosts: what every host computes, and what crosses the network between which hosts.

Neighbouring ranks live in one host, each with compute streams of its own. A host enters a collective once all
of the group's ranks that live there have, and hosts take part where ranks did; within a host it costs nothing. Bytes
follow: an all-reduce among hosts has the size that it had among ranks, an all-to-all what all ranks of the host send.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from traffic.traces.clocks import begins_ns
from traffic.traces.form import Compute, Node, Trace, TracedCollective, TracedTransfer
from traffic.traces.matching import instances, messages

Part: TypeAlias = tuple[int, int]
Line: TypeAlias = tuple[int, ...]
"""What has connections of its own: (group,), or (source rank, target rank, tag)."""


@dataclass(frozen=True)
class Work:
    """So much compute of one rank, on a stream of its own."""

    name: str
    ns: int
    stream: str


@dataclass(frozen=True)
class Idle:
    """What comes before a rank's first nodes: so long in the first iteration, so long in the others."""

    ns: int
    again_ns: int
    stream: str


@dataclass(frozen=True)
class Shared:
    """A collective among `hosts`, number `number` of the iteration. Sizes as in `form.TracedCollective`, in
    bytes of the trace; `counts`, of an uneven all-to-all: from each host to each other."""

    name: str
    number: int
    op: str
    hosts: tuple[int, ...]
    size_bytes: int
    root: int
    counts: tuple[tuple[int, ...], ...]
    line: Line


@dataclass(frozen=True)
class Message:
    """A message from one host to another, number `number` of the iteration; `sends` says which side."""

    name: str
    number: int
    peer: int
    size_bytes: int
    sends: bool
    line: Line


@dataclass(frozen=True)
class HostTask:
    """A task, once those of the same host numbered `after`, all of them earlier, are done."""

    after: tuple[int, ...]
    what: Work | Idle | Shared | Message


@dataclass(frozen=True)
class HostTasks:
    """Every host's tasks, by host, and how many collectives and messages there are among all."""

    hosts: tuple[tuple[HostTask, ...], ...]
    shared: int


def on_hosts(trace: Trace, ranks_per_host: int) -> HostTasks:
    """The tasks of every host: rank r lives in host r // ranks_per_host."""
    mapping = _Mapping(trace, ranks_per_host)
    count = -(-len(trace.ranks) // ranks_per_host)
    return HostTasks(tuple(_tasks(mapping, host) for host in range(count)), mapping.shared)


@dataclass
class _Unit:
    """What becomes one task or none (`what`): nodes of one host that are carried out as one.

    A message that comes in is received whenever it comes, but is had no earlier than what its node
    waits for: `early` units wait for nothing, and pass on what they should have waited for.
    """

    what: Work | Idle | Shared | Message | None
    after: set[int] = field(default_factory=set)
    early: bool = False


class _Mapping:
    """Numbers collectives and messages over all hosts, and finds out what each is between hosts."""

    def __init__(self, trace: Trace, ranks_per_host: int) -> None:
        self.trace = trace
        self.per_host = ranks_per_host
        self.begins_ns = begins_ns(trace)
        self.whats: dict[Part, Shared | Message | None] = {}
        self.together: dict[Part, Part] = {}
        self.before: dict[Part, Part] = {}
        self.shared = 0
        for group, parts in instances(trace):
            self._collective(group, parts)
        for sent, received in messages(trace):
            self._message(sent, received)

    def host(self, rank: int) -> int:
        """Where a rank lives."""
        return rank // self.per_host

    def ranks(self, host: int) -> range:
        """Who lives in a host."""
        return range(host * self.per_host, min((host + 1) * self.per_host, len(self.trace.ranks)))

    def nodes(self, host: int) -> Iterator[tuple[Part, Node]]:
        """The nodes of all ranks of a host."""
        for rank in self.ranks(host):
            for index, node in enumerate(self.trace.ranks[rank]):
                yield (rank, index), node

    def idle(self, host: int) -> Iterator[tuple[int, Idle]]:
        """Ranks of a host that begin later than others."""
        for rank in self.ranks(host):
            if self.begins_ns and any(self.begins_ns[rank]):
                yield rank, Idle(*self.begins_ns[rank], f"rank {rank} begins")

    def _collective(self, group: int, parts: Sequence[Part]) -> None:
        hosts = tuple(dict.fromkeys(self.host(rank) for rank, _ in parts))
        what = self._shared(group, hosts, parts) if len(hosts) > 1 else None
        first: dict[int, Part] = {}
        for part in parts:
            self.together[part] = first.setdefault(self.host(part[0]), part)
            self.whats[part] = what

    def _shared(self, group: int, hosts: tuple[int, ...], parts: Sequence[Part]) -> Shared:
        works = [self._work(part) for part in parts]
        living = [self.host(rank) for rank, _ in parts]
        size = works[0].size_bytes
        counts: tuple[tuple[int, ...], ...] = ()
        if works[0].op == "all_to_all":
            size, counts = _exchanged(works, [hosts.index(host) for host in living], len(hosts))
        number, self.shared = self.shared, self.shared + 1
        rank, index = parts[0]
        name = self.trace.ranks[rank][index].name
        root = hosts.index(living[works[0].root])
        return Shared(name, number, works[0].op, hosts, size, root, counts, (group,))

    def _message(self, sent: Part, received: Part) -> None:
        source, target = self.host(sent[0]), self.host(received[0])
        node = self.trace.ranks[sent[0]][sent[1]]
        assert isinstance(node.work, TracedTransfer)
        if source == target:
            self.whats[sent] = self.whats[received] = None
            self.before[received] = sent
            return
        number, self.shared = self.shared, self.shared + 1
        line = (sent[0], received[0], node.work.tag)
        for part, peer, sends in ((sent, target, True), (received, source, False)):
            self.whats[part] = Message(node.name, number, peer, node.work.size_bytes, sends, line)

    def _work(self, part: Part) -> TracedCollective:
        work = self.trace.ranks[part[0]][part[1]].work
        assert isinstance(work, TracedCollective)
        return work


def _exchanged(
    works: Sequence[TracedCollective], living: Sequence[int], hosts: int
) -> tuple[int, tuple[tuple[int, ...], ...]]:
    """Bytes that a host sends in an all-to-all, and from each to each where they are not equal."""
    counts = [[0] * hosts for _ in range(hosts)]
    for here, work in zip(living, works, strict=True):
        sends = work.sends or [work.size_bytes // len(works)] * len(works)
        for there, size in zip(living, sends, strict=True):
            counts[here][there] += size if here != there else 0
    apart = {
        size for here, row in enumerate(counts) for there, size in enumerate(row) if here != there
    }
    if len(apart) == 1:
        return apart.pop() * hosts, ()
    return max(map(sum, counts)), tuple(map(tuple, counts))


def _tasks(mapping: _Mapping, host: int) -> tuple[HostTask, ...]:
    """A host's units in an order in which each comes after those it waits for; what costs nothing is left
    out, and what waited for it waits for what it waited for."""
    units = _units(mapping, host)
    tasks: list[HostTask] = []
    stands_for: dict[int, frozenset[int]] = {}
    for unit in _sorted(units):
        after = frozenset(task for one in units[unit].after for task in stands_for[one])
        what = units[unit].what
        if what is None:
            stands_for[unit] = after
            continue
        early = units[unit].early
        tasks.append(HostTask(() if early else tuple(sorted(after)), what))
        own = frozenset([len(tasks) - 1])
        stands_for[unit] = own | after if early else own
    return tuple(tasks)


def _units(mapping: _Mapping, host: int) -> list[_Unit]:
    units: list[_Unit] = []
    number: dict[Part, int] = {}
    for part, node in mapping.nodes(host):
        leader = mapping.together.get(part, part)
        if leader not in number:
            number[leader] = len(units)
            what = _compute(part, node) if isinstance(node.work, Compute) else mapping.whats[part]
            units.append(_Unit(what, early=isinstance(what, Message) and not what.sends))
        number[part] = number[leader]
    begins: dict[int, set[int]] = {}
    for rank, idle in mapping.idle(host):
        begins[rank] = {len(units)}
        units.append(_Unit(idle))
    for part, node in mapping.nodes(host):
        before = [(part[0], index) for index in node.after]
        before += [mapping.before[part]] if part in mapping.before else []
        first = set() if node.after else begins.get(part[0], set())
        units[number[part]].after |= {number[one] for one in before} | first
    return units


def _compute(part: Part, node: Node) -> Work | None:
    assert isinstance(node.work, Compute)
    stream = f"rank {part[0]}, {node.stream}"
    return Work(node.name, node.work.ns, stream) if node.work.ns else None


def _sorted(units: Sequence[_Unit]) -> list[int]:
    """[Kahn 1962]; a trace that is known to go on (`matching.check_progress`) has an order."""
    waits = [len(unit.after) for unit in units]
    unlocks: list[list[int]] = [[] for _ in units]
    for index, unit in enumerate(units):
        for before in unit.after:
            unlocks[before].append(index)
    ready = [index for index, count in enumerate(waits) if not count]
    found = []
    while ready:
        index = heapq.heappop(ready)
        found.append(index)
        for other in unlocks[index]:
            waits[other] -= 1
            if not waits[other]:
                heapq.heappush(ready, other)
    return found
