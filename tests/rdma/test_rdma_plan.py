"""What `switches:` and `rdma:` make of a plan: ports in bytes, headroom, windows, loss of many."""

import math
import re
from dataclasses import replace
from itertools import chain, combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longhaul.buffers import of_many
from longhaul.planning import make_plan
from scenario.factors import load_without
from scenario.loading import load_topology
from scenario.plan import thresholds
from scenario.plan.headroom import headroom_bytes
from scenario.plan.losses import torn_share
from scenario.plan.types import Plan, Port, Shape
from scenario.text.diagnostics import InvalidInput
from tests.fabric.planned import plan_of
from tests.run.conftest import ROOT

HOSTS = "hosts: [{count: 4, accelerator: H100, nic: 400Gbit/s, nics: 1, name: h}]"
PFC = "switches: {own: {buffer: 64MB, pfc: {xoff: 100kB}}}"


def pair(switch: str = "", rdma: str = "", rate: str = "800Gbit/s", extra: str = "") -> Plan:
    """Two campuses, ten miles apart, of four hosts each."""
    return plan_of(pair_text(switch, rdma, rate, extra))


def pair_text(switch: str = "", rdma: str = "", rate: str = "800Gbit/s", extra: str = "") -> str:
    return (
        f"scale: {{bytes: 10}}\n{extra}\n{rdma}\ncampuses:\n  c1: {{{switch}{HOSTS}}}\n  c2: {{{switch}{HOSTS}}}\n"
        f"links:\n  c1-c2: {{between: [c1, c2], distance: 10mi, rate: {rate}, loss: 0.001}}\n"
    )


def test_without_a_model_of_switch_or_rdma_a_plan_has_no_ports() -> None:
    assert not any(end.shape.port for link in pair().wires for end in link.ends)
    assert pair().rdma is None


def test_adapters_for_rdma_are_ports_and_switches_without_a_model_are_not() -> None:
    plan = pair(rdma="rdma: {}")
    for link in plan.wires:
        assert (link.a.shape.port is not None) == (link.kind in ("host", "long-haul"))
        assert (link.b.shape.port is not None) == (link.kind == "long-haul")


def test_a_link_that_loses_ends_in_ports_that_tear_with_as_long_a_queue() -> None:
    (long_haul,) = pair(rdma="rdma: {}").long_hauls()
    shape, port = long_haul.a.shape, long_haul.a.shape.port
    assert port
    assert (port.pool, port.stands_for) == (0, 10)
    in_flight = shape.rate_bps * shape.delay_s / 8
    assert port.limit_bytes == round(shape.limit_packets * 9014 - in_flight)
    (real,) = pair(extra="").long_hauls()
    assert real.a.shape.port is None


@pytest.mark.parametrize("impairment", ["jitter: 1us", "reorder: 1%", "duplicate: 1%"])
def test_what_a_port_does_not_do_is_left_to_netem(impairment: str) -> None:
    text = pair_text(rdma="rdma: {}").replace("loss: 0.001", f"loss: 0.001, {impairment}")
    (long_haul,) = plan_of(text).long_hauls()
    assert long_haul.a.shape.port is None


@given(st.floats(1e-7, 0.01), st.floats(1, 400))
def test_what_vanishes_is_what_vanishes_at_full_scale(loss: float, k: float) -> None:
    """Of the k packets that one stands for, the last one: with the loss of a single one."""
    shape = Shape(1e9, 0.0, 100, loss=of_many(loss, k), port=Port(stands_for=k))
    assert shape.loss * (1 - torn_share(shape)) == pytest.approx(loss, rel=1e-6)
    assert torn_share(replace(shape, loss_correlation=0.5)) == 0


def test_all_ports_of_a_switch_share_its_buffer_divided_by_the_scale() -> None:
    plan = pair("switch: tomahawk3, ")
    dpids = {switch.name: switch.dpid for switch in plan.switches}
    for link in plan.wires:
        for end in link.ends:
            if end.port:
                assert end.shape.port
                assert end.shape.port.pool == dpids[end.node]
                assert end.shape.port.pool_bytes == 6_400_000


def test_the_border_may_be_another_model() -> None:
    plan = pair("switch: tomahawk3, border-switch: deep, ")
    (long_haul,) = plan.long_hauls()
    assert long_haul.a.shape.port
    assert long_haul.a.shape.port.pool_bytes == 800_000_000


def test_ten_miles_at_800_gigabit_ask_for_the_headroom_of_the_formula() -> None:
    """2 x delay x rate is 15.8 MB; the frames are what is beyond it."""
    shape = Shape(800e9, 78.82e-6, 100)
    needed = headroom_bytes(shape, shape, 4154)
    assert needed == pytest.approx(2 * 78.82e-6 * 100e9, rel=0.002)
    assert needed - 2 * 78.82e-6 * 100e9 == pytest.approx(3 * 4154 + 84)


def test_headroom_that_a_buffer_does_not_hold_is_refused_with_both_sizes() -> None:
    small = PFC.replace("64MB", "10MB")
    with pytest.raises(InvalidInput, match=r"headroom of c1-b's 3 ports takes .* of 10 MB"):
        pair("switch: own, ", extra=small)


def test_headroom_is_no_part_of_what_ports_share() -> None:
    plan = pair("switch: own, ", extra=PFC)
    (long_haul,) = plan.long_hauls()
    ports = [e.shape.port for x in plan.wires for e in x.ends if e.node == "c1-b" and e.shape.port]
    reserved = sum(port.xoff_bytes + port.headroom_bytes for port in ports)
    assert {port.pool_bytes for port in ports} == {round(6.4e6 - reserved)}
    assert long_haul.a.shape.port
    assert long_haul.a.shape.port.lossless == 1 << 3


@pytest.mark.parametrize("impairment", ["jitter: 1us", "reorder: 1%", "duplicate: 1%"])
def test_what_a_switch_with_a_known_buffer_does_not_emulate_is_refused(impairment: str) -> None:
    with pytest.raises(
        InvalidInput, match=f"has {impairment.split(':', maxsplit=1)[0]}, which a switch"
    ):
        plan_of(
            f"campuses:\n  c1: {{switch: tomahawk3, {HOSTS}}}\n  c2: {{{HOSTS}}}\n"
            f"links:\n  l: {{between: [c1, c2], distance: 10mi, rate: 1Tbit/s, {impairment}}}\n"
        )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("switches: {own: {buffer: 1MB, ecn: {min: 2kB, max: 1kB}}}", "`max` is less than `min`"),
        ("switches: {own: {buffer: 1MB, pfc: {classes: [9]}}}", "there is no such class"),
        ("switches: {own: {buffer: 1MB, pfc: {xoff: 1kB, xon: 2kB}}}", "`xon` is more than `xoff`"),
    ],
)
def test_what_makes_no_sense_is_refused(text: str, says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        pair(extra=text)


def test_a_model_of_switch_that_nobody_knows_is_refused_with_the_nearest() -> None:
    with pytest.raises(InvalidInput, match="unknown model of switch"):
        pair("switch: tomahawk, ")


def test_a_window_is_scaled_and_counted_in_full_packets() -> None:
    plan = pair(rdma="rdma: {congestion: window, window: 4MiB}")
    assert plan.rdma
    assert plan.rdma.window_packets == round(4 * 2**20 / 10 / 4096)


def test_with_rdma_a_packet_is_lost_if_one_of_those_it_stands_for_would_be() -> None:
    (tcp,), (roce,) = (list(plan.long_hauls()) for plan in (pair(), pair(rdma="rdma: {}")))
    assert tcp.a.shape.loss == 0.001
    assert roce.a.shape.loss == pytest.approx(1 - 0.999**10)


@given(st.floats(0, 0.5), st.integers(1, 10_000))
def test_the_loss_of_many_is_a_probability_that_grows(share: float, packets: int) -> None:
    one, many = of_many(share, 1), of_many(share, packets)
    assert math.isclose(one, share, rel_tol=1e-9, abs_tol=1e-300)
    assert one <= many * (1 + 1e-9) <= 1 + 1e-9


def scaled(k: float, switch: str, nic: str = "400Gbit/s") -> Plan:
    """A campus behind a switch of that kind, ten miles from another one, divided by k."""
    host = f"hosts: [{{count: 4, accelerator: H100, nic: {nic}, nics: 1, name: h}}]"
    return plan_of(
        f"scale: {{bytes: {k}}}\nmtu: 4200\nrdma: {{}}\nswitches: {{own: {{{switch}}}}}\n"
        f"campuses:\n  c1: {{switch: own, {host}}}\n  c2: {{switch: own, {host}}}\n"
        "links:\n  c1-c2: {between: [c1, c2], distance: 10mi, rate: 400Gbit/s}\n"
    )


@pytest.mark.parametrize(
    ("key", "switch", "enough", "few"),
    [
        ("ecn.max", "buffer: 64MB, ecn: {min: 5kB, max: 200kB, probability: 1%}", 11, 12),
        ("pfc.xoff", "buffer: 2GB, pfc: {xoff: 100kB}", 11, 12),
        ("buffer", "buffer: 10MB", 118, 119),
        ("pfc.headroom", "buffer: 2GB, pfc: {xoff: 1MB, headroom: 8MB}", 9, 10),
    ],
)
def test_there_is_a_warning_from_the_scale_on_at_which_buffers_hold_too_few_packets(
    key: str, switch: str, enough: float, few: float
) -> None:
    assert thresholds.warning(scaled(enough, switch)) is None
    said = thresholds.warning(scaled(few, switch))
    assert said
    assert f"`{key}` at c" in said
    (mended,) = re.findall(r"--set scale\.bytes=(\S+)\.$", said)
    assert thresholds.warning(scaled(float(mended), switch)) is None


def test_headroom_that_is_too_small_at_full_scale_is_no_fault_of_the_scale() -> None:
    assert thresholds.warning(scaled(20, "buffer: 2GB, pfc: {xoff: 1MB, headroom: 4MB}")) is None


@pytest.mark.parametrize("name", ["ten-miles", "old-fibre", "shallow", "lossless", "victims"])
def test_the_scenarios_hold_enough_packets(name: str) -> None:
    plan = make_plan(load_topology(ROOT / "topologies" / f"roce-{name}.yaml"))
    assert thresholds.warning(plan) is None


@pytest.mark.parametrize("name", ["ten-miles", "old-fibre", "shallow", "lossless", "victims"])
def test_the_scenarios_causes_can_be_taken_away_in_every_combination(name: str) -> None:
    """As `attribute` does."""
    path = ROOT / "topologies" / f"roce-{name}.yaml"
    causes = load_topology(path).factors
    for some in chain.from_iterable(combinations(causes, n) for n in range(len(causes) + 1)):
        assert make_plan(load_without(path, (), tuple(some))).rdma
