"""Plans to test with: of the shipped topologies, of a few lines of YAML, and of testbeds drawn by lot."""

import functools
import ipaddress
import tempfile
from pathlib import Path

from hypothesis import strategies as st

from longhaul.dsl import load_topology
from longhaul.fabric.plan import End, Plan, PlannedHost, make_plan

ROOT = Path(__file__).parents[2]
SHIPPED = sorted((ROOT / "topologies").glob("*.yaml"))


@functools.cache
def plan_of_file(path: Path) -> Plan:
    return make_plan(load_topology(path))


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


def walk(plan: Plan, source: PlannedHost, sink: PlannedHost) -> tuple[list[End], str | None]:
    """The interfaces that a packet leaves by, as switches with these rules would send it, and the
    MAC address that the last of them writes. Raises LookupError where no rule matches, RecursionError
    in a loop."""
    far = {}
    for link in plan.links:
        far[link.a.interface], far[link.b.interface] = link.b, link.a
    at = {(end.node, end.port): end for link in plan.links for end in link.ends}
    left = [at[source.name, 0]]
    mac = None
    while (node := far[left[-1].interface].node) != sink.name:
        matching = [
            rule
            for rule in plan.rules
            if rule.switch == node
            and ipaddress.ip_address(sink.ip) in ipaddress.ip_network(rule.prefix)
        ]
        if not matching:
            raise LookupError(f"{node} has no rule for {sink.ip}")
        best = max(matching, key=lambda rule: rule.priority)
        assert [rule.priority for rule in matching].count(best.priority) == 1
        mac = best.dst_mac or mac
        left.append(at[node, best.port])
        if len(left) > len(plan.switches) + 1:
            raise RecursionError(f"{source.name} to {sink.name} loops at {node}")
    return left, mac
