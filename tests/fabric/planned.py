"""Plans to test with: of the shipped topologies, of a few lines of YAML, and of testbeds drawn by lot."""

import functools
import ipaddress
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from hypothesis import strategies as st

from longhaul.planning import make_plan
from scenario.loading import load_topology
from scenario.plan.rules import GATEWAY_MAC, Rule
from scenario.plan.types import End, Plan, PlannedHost

ROOT = Path(__file__).parents[2]
SHIPPED = sorted((ROOT / "topologies").glob("*.yaml"))


@functools.cache
def plan_of_file(path: Path, *overrides: str) -> Plan:
    return make_plan(load_topology(path, overrides))


@functools.cache
def plan_of(body: str) -> Plan:
    """The plan of a topology's text; version and name are put before it."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "topology.yaml"
        file.write_text(f"longhaul: 1\nname: test\n{body}")
        return make_plan(load_topology(file))


SINGLE = st.just("{kind: single}")
LEAF_SPINE = st.builds(
    "{{kind: leaf-spine, leaves: {}, spines: {}, link-delay: {}ns}}".format,
    st.integers(1, 3),
    st.integers(1, 3),
    st.sampled_from([0, 500, 501]),
)
FABRICS = st.one_of(SINGLE, LEAF_SPINE, st.just("{kind: fat-tree, k: 4}"))


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Small testbeds: a tree of campuses with a few links more, of mixed fabrics and hosts."""
    count = draw(st.integers(1, 4))
    lines = ["campuses:"]
    for number in range(1, count + 1):
        groups = draw(st.lists(st.tuples(st.integers(1, 3), st.sampled_from(["H100", "B200"])),
                               min_size=1, max_size=2, unique_by=lambda group: group[1]))  # fmt: skip
        hosts = ", ".join(f"{{count: {n}, accelerator: {name}}}" for n, name in groups)
        lines.append(f"  c{number}: {{fabric: {draw(FABRICS)}, hosts: [{hosts}]}}")
    pairs = {(draw(st.integers(1, n - 1)), n) for n in range(2, count + 1)}
    every = [(a, b) for a in range(1, count + 1) for b in range(a + 1, count + 1)]
    pairs |= set(draw(st.lists(st.sampled_from(every), max_size=2))) if every else set()
    lines += ["links:"] if pairs else []
    for a, b in sorted(pairs):
        there, back = draw(st.tuples(st.integers(1, 2000), st.integers(1, 2000)))
        ways = f"forward: {{delay: {there}us}}, backward: {{delay: {back}us}}"
        lines.append(
            f"  c{a}-c{b}: {{between: [c{a}, c{b}], distance: 10km, rate: 100Gbit/s, {ways}}}"
        )
    return plan_of("\n".join(lines))


Way = tuple[list[End], str | None]


def walk(plan: Plan, source: PlannedHost, sink: PlannedHost) -> Way:
    """The way of a packet where there is but one; of several, the first."""
    return next(ways(plan, source, sink))


def ways(
    plan: Plan,
    source: PlannedHost,
    sink: PlannedHost,
    dead: frozenset[str] = frozenset(),
    dscp: int = 0,
) -> Iterator[Way]:
    """Whatever way a packet may take through switches with these tables, whichever bucket a hash
    chooses, with the interfaces `dead` down: the interfaces that it leaves by, and its destination
    MAC address on arrival. Raises LookupError where it is dropped, RecursionError where it comes back to
    a switch as it was there before."""
    network = _Network(plan, dead)
    start = (network.at[source.name, 0],)
    yield from network.on(start, _Header(sink, dscp, GATEWAY_MAC), frozenset())


@dataclass(frozen=True)
class _Header:
    sink: PlannedHost
    dscp: int
    mac: str


class _Network:
    def __init__(self, plan: Plan, dead: frozenset[str]) -> None:
        self.plan = plan
        self.at = {(end.node, end.port): end for link in plan.wires for end in link.ends}
        self.far = {}
        for link in plan.wires:
            self.far[link.a.interface], self.far[link.b.interface] = link.b, link.a
        self.dead = dead | {self.far[name].interface for name in dead}
        self.groups = {(group.switch, group.id): group for group in plan.groups}

    def on(
        self, left: tuple[End, ...], header: _Header, met: frozenset[tuple[str, str]]
    ) -> Iterator[Way]:
        if left[-1].interface in self.dead:
            raise LookupError(f"sent into {left[-1].interface}, which is down")
        node = self.far[left[-1].interface].node
        if node == header.sink.name:
            yield list(left), header.mac
            return
        if (node, header.mac) in met:
            raise RecursionError(f"a packet to {header.sink.name} is back at {node}")
        rule = self.rule(node, header)
        for port, mac in self.out(node, rule.port, rule.group):
            after = replace(header, mac=mac or rule.dst_mac or header.mac)
            yield from self.on((*left, self.at[node, port]), after, met | {(node, header.mac)})

    def rule(self, node: str, header: _Header) -> Rule:
        matching = [
            rule
            for rule in self.plan.rules
            if rule.switch == node
            and ipaddress.ip_address(header.sink.ip) in ipaddress.ip_network(rule.prefix)
            and rule.match_mac in (None, header.mac)
            and rule.dscp in (None, header.dscp)
        ]
        if not matching:
            raise LookupError(f"{node} has no rule for {header}")
        best = max(matching, key=lambda rule: rule.priority)
        assert [rule.priority for rule in matching].count(best.priority) == 1
        return best

    def out(
        self, node: str, port: int | None, group: int | None
    ) -> Iterator[tuple[int, str | None]]:
        if group is None:
            assert port is not None
            yield port, None
            return
        live = [b for b in self.groups[node, group].buckets if self.lives(node, b.watch)]
        if not live:
            raise LookupError(f"{node} has no live bucket")
        chosen = live[:1] if self.groups[node, group].kind == "fast-failover" else live
        for bucket in chosen:
            for way, mac in self.out(node, bucket.port, bucket.group):
                yield way, mac or bucket.dst_mac

    def lives(self, node: str, watch: int | None) -> bool:
        return watch is None or self.at[node, watch].interface not in self.dead
