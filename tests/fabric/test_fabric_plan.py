"""Plans: every address is one host's, every host reaches every host, rates and queues are as documented."""

import ipaddress
import itertools
import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings

from scenario.plan.types import Plan, from_json, packets_per_bdp
from tests.fabric.planned import ROOT, SHIPPED, plan_of, plan_of_file, plans, walk

shipped = pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)


@shipped
def test_every_name_and_address_of_a_shipped_topology_is_there_once(path: Path) -> None:
    check_names_and_addresses(plan_of_file(path))


@given(plans())
@settings(max_examples=30)
def test_every_name_and_address_of_any_topology_is_there_once(plan: Plan) -> None:
    check_names_and_addresses(plan)


def check_names_and_addresses(plan: Plan) -> None:
    everybody = plan.hosts + plan.probes
    ends = [end for link in plan.wires for end in link.ends]
    for values in (
        [host.ip for host in everybody],
        [host.mac for host in everybody],
        [x.name for x in everybody + plan.switches],
        [switch.dpid for switch in plan.switches],
        [switch.prefix for switch in plan.switches],
        [end.interface for end in ends],
        [(end.node, end.port) for end in ends],
    ):
        assert len(set(values)) == len(values)
    assert [host.rank for host in plan.hosts] == list(range(len(plan.hosts)))
    assert all(len(end.interface) <= 15 for end in ends), "Linux has 15 characters for an interface"
    prefixes = {switch.name: ipaddress.ip_network(switch.prefix) for switch in plan.switches}
    for host in everybody:
        assert ipaddress.ip_address(host.ip) in prefixes[host.leaf]


@shipped
def test_everybody_reaches_everybody_in_a_shipped_topology(path: Path) -> None:
    check_reachability(plan_of_file(path))


@given(plans())
@settings(max_examples=30)
def test_everybody_reaches_everybody_in_any_topology_by_the_way_of_least_delay(plan: Plan) -> None:
    check_reachability(plan)
    shortest = least_delays(plan)
    for source, sink in itertools.permutations(plan.hosts + plan.probes, 2):
        delay_s = sum(end.shape.delay_s for end in walk(plan, source, sink)[0])
        assert delay_s == pytest.approx(shortest[source.name, sink.name], abs=1e-12)


def check_reachability(plan: Plan) -> None:
    """Walk all rules: no packet is dropped, none loops, each arrives with its host's MAC address."""
    for source, sink in itertools.permutations(plan.hosts + plan.probes, 2):
        _, mac = walk(plan, source, sink)
        assert mac == sink.mac


def least_delays(plan: Plan) -> dict[tuple[str, str], float]:
    """By Floyd and Warshall, over every pair of nodes."""
    nodes = [x.name for x in plan.hosts + plan.probes + plan.switches]
    best = np.full((len(nodes), len(nodes)), np.inf)
    for link in plan.wires:
        for here, there in (link.ends, link.ends[::-1]):
            pair = nodes.index(here.node), nodes.index(there.node)
            best[pair] = min(best[pair], here.shape.delay_s)
    for k in range(len(nodes)):
        best = np.minimum(best, best[:, k, None] + best[k])
    return {(a, b): best[i, j] for (i, a), (j, b) in itertools.product(enumerate(nodes), repeat=2)}


def test_a_packet_takes_another_way_out_of_and_into_a_campus_only_over_its_border() -> None:
    plan = plan_of_file(ROOT / "topologies" / "colossus.yaml")
    source = next(host for host in plan.hosts if host.campus == "c1")
    sink = next(host for host in plan.hosts if host.campus == "c2")
    nodes = [end.node for end in walk(plan, source, sink)[0]]
    assert nodes[0] == source.name
    assert [node for node in nodes if node.endswith("-b")] == ["c1-b", "c2-b"]
    assert len(nodes) == 7  # host, leaf, spine, border; border, spine, leaf


def test_a_campus_without_a_link_to_another_is_reached_through_a_third() -> None:
    plan = plan_of("""
campuses:
  c1: {hosts: [{count: 1, accelerator: H100}]}
  c2: {hosts: [{count: 1, accelerator: H100}]}
  c3: {hosts: [{count: 1, accelerator: H100}]}
links:
  c1-c2: {between: [c1, c2], distance: 10mi, rate: 400G}
  c2-c3: {between: [c2, c3], distance: 10mi, rate: 400G}
""")
    ends, _ = walk(plan, plan.hosts[0], plan.hosts[2])
    assert [end.node for end in ends][2:5] == ["c1-b", "c2-b", "c3-b"]


@shipped
def test_the_plan_of_a_shipped_topology_survives_being_written_and_read(path: Path) -> None:
    plan = plan_of_file(path)
    written = json.dumps(plan.to_json())
    assert from_json(json.loads(written)) == plan
    assert json.dumps(from_json(json.loads(written)).to_json()) == written


@given(plans())
@settings(max_examples=30)
def test_the_plan_of_any_topology_survives_being_written_and_read(plan: Plan) -> None:
    assert from_json(json.loads(json.dumps(plan.to_json()))) == plan


# --- rates, delays, queues -----------------------------------------------------------------------

PAIR = """
scale: {{bytes: {scale}}}
mtu: {mtu}
campuses:
  c1: {{hosts: [{{count: 1, accelerator: H100, nics: 2}}], fabric: {{kind: single, host-delay: 1us, link-delay: 2us}}}}
  c2: {{hosts: [{{count: 1, accelerator: H100}}], fabric: {{kind: single, host-delay: 3us, link-delay: 1us}}}}
links:
  c1-c2:
    between: [c1, c2]
    distance: 1000km
    rate: 400Gbit/s
    forward: {{delay: 4ms}}
    backward: {{delay: 6ms, rate: 100Gbit/s{more}}}
"""


def pair(scale: float = 1, mtu: int = 9000, more: str = "") -> Plan:
    return plan_of(PAIR.format(scale=scale, mtu=mtu, more=more))


@pytest.mark.parametrize("scale", [1, 2, 1000])
def test_rates_above_a_gigabit_are_planned_as_asked_divided_by_the_scale(scale: int) -> None:
    plan = pair(scale)
    (link,) = plan.long_hauls()
    assert link.a.shape.rate_bps == 400e9 / scale
    assert link.b.shape.rate_bps == 100e9 / scale
    assert [host.nic_bps for host in plan.hosts] == [2 * 400e9 / scale, 8 * 400e9 / scale]


def test_delays_are_planned_by_direction_and_not_scaled() -> None:
    (link,) = pair(1000).long_hauls()
    assert (link.a.shape.delay_s, link.b.shape.delay_s) == pytest.approx((4e-3, 6e-3))


# The longest round trip is bounded by the long-haul delays both ways and four of the wider campus's
# diameters, a diameter being two host links and four switch links.
LONGEST_RTT_S = 4e-3 + 6e-3 + 4 * max(2 * 1e-6 + 4 * 2e-6, 2 * 3e-6 + 4 * 1e-6)


def test_a_long_haul_queue_holds_one_bandwidth_delay_product_beside_what_is_in_flight() -> None:
    (link,) = pair().long_hauls()
    packets_per_s = 400e9 / (8 * 9014)
    assert link.a.shape.limit_packets == math.ceil(packets_per_s * (4e-3 + LONGEST_RTT_S))
    assert link.b.shape.limit_packets == math.ceil(packets_per_s / 4 * (6e-3 + LONGEST_RTT_S))


def test_a_queue_is_never_shorter_than_a_hundred_packets() -> None:
    (link,) = pair(1e6).long_hauls()
    assert link.a.shape.limit_packets == math.ceil(100 + 400e3 * 4e-3 / (8 * 9014))


def test_a_queue_given_in_bytes_is_scaled_and_counted_in_packets() -> None:
    (link,) = pair(10, more=", queue: 9014kB").long_hauls()
    assert link.b.shape.limit_packets == math.ceil(10e9 * 6e-3 / (8 * 9014) + 100)


def test_a_senders_own_queue_is_not_what_limits_it() -> None:
    plan = pair()
    for link in plan.wires:
        if link.kind in ("host", "probe"):
            assert link.a.shape.limit_packets == 100_000


def test_a_fifteen_hundred_byte_packet_has_a_larger_share_of_headers() -> None:
    assert pair(mtu=9000).payload_share == pytest.approx((9000 - 52) / 9014)
    assert pair(mtu=1500).payload_share == pytest.approx((1500 - 52) / 1514)


def test_packets_per_round_trip_follow_the_slower_direction() -> None:
    (link,) = pair(1000).long_hauls()
    assert packets_per_bdp(link, 9000) == pytest.approx(0.1e9 * 10e-3 / (8 * 9014))


def test_a_hosts_speed_is_what_its_gpus_were_measured_to_achieve() -> None:
    assert pair().hosts[0].flops == pytest.approx(6 * 70e9 * 1127 * 8, rel=0.002)
