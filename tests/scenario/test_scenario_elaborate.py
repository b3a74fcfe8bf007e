"""From what is written to what is built: fabrics, hosts, links and their names."""

from collections import Counter
from collections.abc import Callable

import pytest

from scenario.text.diagnostics import InvalidInput
from scenario.types.topology import Campus, Topology

Load = Callable[..., Topology]


def _one_campus(
    load: Load, fabric: str, count: int = 8, group: str = "accelerator: H100"
) -> Campus:
    body = f"campuses: {{c1: {{fabric: {fabric}, hosts: [{{count: {count}, {group}}}]}}}}"
    return load(body).campuses[0]


def _roles(campus: Campus) -> Counter[str]:
    return Counter(switch.role for switch in campus.switches)


def _reached(campus: Campus) -> set[str]:
    """The switches that links lead to, starting from the border."""
    found, new = {campus.border}, {campus.border}
    while new:
        ends = [(link.a, link.b) for link in campus.fabric_links]
        new = {b for a, b in ends if a in found} | {a for a, b in ends if b in found}
        new -= found
        found |= new
    return found


FABRICS = {
    "{kind: leaf-spine, leaves: 3, spines: 2}": (3 * 2 + 2, 3),
    "{kind: single}": (1, 1),
    "{kind: fat-tree, k: 4}": (16 + 16 + 4, 8),
    "{kind: explicit, switches: {l1: {role: leaf}, l2: {role: leaf}, s1: {role: spine}},"
    " links: [{between: [l1, s1], rate: 1T}, {between: [l2, s1], rate: 1T}]}": (3, 2),
    "{kind: explicit, switches: {l1: {role: leaf}, l2: {role: leaf}}}": (2, 2),
}


@pytest.mark.parametrize(("fabric", "sizes"), FABRICS.items(), ids=lambda v: str(v)[:18])
def test_every_fabric_becomes_switches_and_links_that_reach_every_host(
    load: Load, fabric: str, sizes: tuple[int, int]
) -> None:
    campus = _one_campus(load, fabric)
    links, leaves = sizes
    assert len(campus.fabric_links) == links
    assert _roles(campus)["leaf"] == leaves
    assert _roles(campus)["border"] == 1
    assert _reached(campus) == {switch.name for switch in campus.switches}
    assert set(campus.leaf_of) == {host.name for host in campus.hosts}
    assert set(campus.leaf_of.values()) <= {s.name for s in campus.switches if s.role == "leaf"}


@pytest.mark.parametrize("count", [1, 5, 8, 12, 13])
def test_hosts_are_dealt_to_the_leaves_in_order_and_evenly(load: Load, count: int) -> None:
    campus = _one_campus(load, "{kind: leaf-spine, leaves: 4, spines: 2}", count)
    dealt = [campus.leaf_of[host.name] for host in campus.hosts]
    assert dealt == sorted(dealt)
    assert max(Counter(dealt).values()) - min(Counter(dealt).values()) <= 1


def test_the_border_is_linked_with_every_spine_and_carries_all_long_haul_links(load: Load) -> None:
    topology = load(
        """
campuses:
  c1:
    fabric: {kind: leaf-spine, leaves: 2, spines: 3}
    hosts: [{count: 2, accelerator: H100}]
  c2: {hosts: [{count: 1, accelerator: H100}]}
links:
  a: {between: [c1, c2], distance: 1km, rate: 400G}
  b: {between: [c2, c1], distance: 1km, rate: 1T, backward: {rate: 2T}}
"""
    )
    campus = topology.campuses[0]
    border = [link for link in campus.fabric_links if campus.border in (link.a, link.b)]
    assert [link.a for link in border] == ["c1-s1", "c1-s2", "c1-s3"]
    assert {link.rate_bps for link in border} == {2.4e12}


def test_uplinks_carry_the_busiest_leaf_over_the_oversubscription(load: Load) -> None:
    campus = _one_campus(
        load,
        "{kind: leaf-spine, leaves: 3, spines: 2, oversubscription: 4}",
        8,
        "accelerator: H100",
    )
    assert campus.fabric_links[0].rate_bps == 3 * 8 * 400e9 / 2 / 4


def test_a_host_has_what_the_catalogue_says_unless_the_file_says_otherwise(load: Load) -> None:
    (host,) = _one_campus(load, "{kind: single}", 1, "accelerator: GB200").hosts
    assert (host.gpus, host.nic_bps, host.intra_Bps) == (4, 4 * 400e9, 900e9)
    group = "accelerator: GB200, gpus: 2, nic: 800G, nics: 1, nvlink: 100GB/s, slowdown: 1.5"
    (host,) = _one_campus(load, "{kind: single}", 1, group).hosts
    assert (host.gpus, host.nic_bps, host.intra_Bps, host.slowdown) == (2, 800e9, 100e9, 1.5)


def test_a_topology_may_bring_and_mend_accelerators(load: Load) -> None:
    topology = load(
        """
accelerators:
  H100: {mfu: 50%}
  MI300X: {peak: 1307TFLOP/s, mfu: 0.3, hbm: 5.3TB/s, nic: 400G, nvlink: 448GB/s}
campuses:
  c1: {hosts: [{count: 1, accelerator: H100}, {count: 1, accelerator: MI300X}]}
"""
    )
    hopper, other = (host.accelerator for host in topology.campuses[0].hosts)
    assert (hopper.mfu, hopper.peak_flops) == (0.5, 989e12)
    assert (other.name, other.peak_flops) == ("MI300X", 1307e12)


@pytest.mark.parametrize(
    ("count", "accelerator", "last"),
    [(9, "GB200", "c1-gb200-9"), (10, "GB200", "c1-gb2-10"), (100, "H100", "c1-h1-100")],
)
def test_names_of_hosts_are_cut_where_interfaces_could_not_be_named(
    load: Load, count: int, accelerator: str, last: str
) -> None:
    campus = _one_campus(load, "{kind: single}", count, f"accelerator: {accelerator}")
    assert campus.hosts[-1].name == last
    assert {host.group for host in campus.hosts} == {accelerator.lower()}


TWO = """
campuses:
  c1: {hosts: [{count: 1, accelerator: H100}]}
  c2: {hosts: [{count: 1, accelerator: H100}]}
links:
  c1-c2: {between: [c1, c2], rate: 1T, %s}
"""


def test_ten_miles_of_fibre_take_78_8_microseconds_one_way(load: Load) -> None:
    (link,) = load(TWO % "distance: 10mi").links
    assert link.forward.delay_s == pytest.approx(78.8e-6, rel=1e-3)
    assert link.forward == link.backward


def test_hollow_core_fibre_takes_a_third_off_the_delay(load: Load) -> None:
    (fibre,) = load(TWO % "distance: 100km").links
    (hollow,) = load(TWO % "distance: 100km, medium: hollow-core").links
    assert hollow.forward.delay_s / fibre.forward.delay_s == pytest.approx(2 / 3, abs=0.02)


def test_a_direction_says_otherwise_than_the_link_and_the_link_than_the_model(load: Load) -> None:
    body = "distance: 10mi, age: 25y, condition: damp, margin: 1.3dB, jitter: 1us, %s"
    (modelled,) = load(TWO % (body % "queue: 1MB")).links
    (said,) = load(TWO % (body % "loss: 1%, backward: {loss: 0, delay: 1ms, queue: 2MB}")).links
    assert modelled.forward.loss > 1e-4
    assert modelled.forward.queue_bytes == 1e6
    assert (said.forward.loss, said.backward.loss) == (0.01, 0.0)
    assert (said.forward.jitter_s, said.backward.delay_s) == (1e-6, 1e-3)
    assert (said.forward.queue_bytes, said.backward.queue_bytes) == (None, 2e6)


def test_a_stepped_link_gives_up_rate_instead_of_packets(load: Load) -> None:
    (link,) = load(
        TWO % "distance: 10mi, age: 30y, condition: damp, margin: 0dB, aging: step"
    ).links
    assert link.forward.rate_bps == 0.75e12
    assert link.forward.loss == 0.0


def test_a_link_given_by_its_delay_is_as_long_as_light_takes(load: Load) -> None:
    (link,) = load(TWO % "delay: 1ms").links
    assert link.distance_m == pytest.approx(204_190, rel=1e-4)
    assert link.forward.delay_s == 1e-3


def test_coordinates_give_the_length_times_the_route_factor(load: Load) -> None:
    body = """
campuses:
  mem: {latitude: 35.15, longitude: -90.05, hosts: [{count: 1, accelerator: H100}]}
  atl: {latitude: 33.75, longitude: -84.39, hosts: [{count: 1, accelerator: H100}]}
links:
  a: {between: [mem, atl], rate: 1T, route-factor: 2%s}
"""
    (link,) = load(body % "").links
    assert link.distance_m == pytest.approx(2 * 541.6e3, rel=1e-3)
    (said,) = load(body % ", distance: 700km").links
    assert said.distance_m == 700e3


def test_a_variation_is_drawn_by_its_seed_and_leaves_exceptions_alone(load: Load) -> None:
    group = "accelerator: H100, exceptions: {3: {slowdown: 2}}, variation: %s"
    drawn = {
        seed: [
            host.slowdown
            for host in _one_campus(
                load,
                "{kind: single}",
                6,
                group % f"{{distribution: uniform, spread: 10%, seed: {seed}}}",
            ).hosts
        ]
        for seed in (1, 2)
    }
    assert drawn[1] != drawn[2]
    assert drawn[1][2] == drawn[2][2] == 2
    assert all(1 <= factor <= 1.1 for factor in drawn[1][:2] + drawn[1][3:])
    assert drawn[1][0] == 1.0056281064644699


def test_half_of_a_half_normal_variation_is_within_two_thirds_of_its_spread(load: Load) -> None:
    variation = "accelerator: H100, name: h, variation: {distribution: half-normal, spread: 10%}"
    hosts = _one_campus(load, "{kind: single}", 200, variation).hosts
    slow = sorted(host.slowdown for host in hosts)
    assert slow[0] >= 1
    assert slow[100] == pytest.approx(1.067, abs=0.015)


def test_a_collision_of_names_is_told(load: Load) -> None:
    body = "campuses: {c1: {hosts: [{name: l1, count: 1, accelerator: H100}]}}"
    assert load(body).campuses[0].hosts[0].name == "c1-l1-1"
    clash = "{name: h1, count: 10, accelerator: H200}"
    with pytest.raises(InvalidInput, match="there twice"):
        load(f"campuses: {{south: {{hosts: [{{count: 4, accelerator: H100}}, {clash}]}}}}")
