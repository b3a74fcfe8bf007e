"""The α–β model, against the textbook's formula and against what a pencil finds; programs of ranks."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from longhaul.planning import make_plan
from scenario.loading import load_topology, load_workload
from scenario.plan.types import Plan
from scenario.types.topology import Training
from tests.fabric.planned import plan_of
from traffic.collectives import ELEMENT_BYTES, Layout, make_schedule
from traffic.host.program import CollectiveTask, ComputeTask, Program, read, written
from traffic.model.model import Model, ends_s, ring_textbook_s
from traffic.model.wires import Wires, path
from traffic.schedule import Op, Piece, Schedule, on_channels
from traffic.training.kind import prepare
from traffic.training.programs import compute_s, size_bytes
from traffic.training.programs import make_schedule as schedule_of
from traffic.training.task_graph import CHANNELS
from traffic.training.work import at_speed

ROOT = Path(__file__).parents[2]
FRAME, PAYLOAD = 9014, 8948  # bytes on the wire, and of them for the user, at an MTU of 9000
HEADERS = FRAME - PAYLOAD
ONE_MESSAGE = ((Op("send", 1, 0, 100),), (Op("copy", 0, 0, 100),))


def ring_all_reduce(ranks: int, size: int) -> Schedule:
    return make_schedule("all_reduce", "ring", Layout.one_campus(ranks), size)


def one_switch(hosts: int, delay: str = "0ns", nic: str = "1Gbit/s") -> Plan:
    """Alike hosts on one switch."""
    return plan_of(f"""
campuses:
  c1:
    fabric: {{kind: single, host-delay: {delay}}}
    hosts: [{{count: {hosts}, accelerator: H100, nics: 1, nic: {nic}}}]
""")


def two_campuses(more: str = "") -> Plan:
    """One host of 100 Gbit/s in each of two campuses; the long haul takes 1 ms each way."""
    return plan_of(f"""
defaults:
  campuses: {{fabric: {{kind: single, host-delay: 0ns, link-delay: 0ns, border-rate: 100Gbit/s}}}}
campuses:
  c1: {{hosts: [{{count: 1, accelerator: H100, nics: 1, nic: 100Gbit/s}}]}}
  c2: {{hosts: [{{count: 1, accelerator: H100, nics: 1, nic: 100Gbit/s}}]}}
links:
  c1-c2: {{between: [c1, c2], delay: 1ms, rate: 10Gbit/s{more}}}
""")


def beta(rate_bps: float) -> float:
    """Seconds per byte of payload."""
    return 8 / rate_bps * FRAME / PAYLOAD


def paced(rate_bps: float) -> float:
    """Where the sender's own NIC is the slowest wire: it leaves room to acknowledge every packet."""
    return beta(rate_bps) / (1 - 66 / FRAME)


# --- the way between two hosts -------------------------------------------------------------------


def test_a_ways_beta_is_of_its_slowest_wire_and_its_alpha_all_delay_and_every_other_wires_frame() -> (
    None
):
    plan = two_campuses(", backward: {delay: 3ms, rate: 1Gbit/s}")
    wires = Wires(plan)
    there, back = path(wires, *plan.hosts), path(wires, *reversed(plan.hosts))
    fast_frames_s = 4 * 8 * FRAME / 100e9  # host to leaf, leaf to border, border to leaf, to host
    assert there.beta_s_per_byte == pytest.approx(beta(10e9))
    assert there.alpha_s == pytest.approx(1e-3 + fast_frames_s)
    assert back.beta_s_per_byte == pytest.approx(beta(1e9))
    assert back.alpha_s == pytest.approx(3e-3 + fast_frames_s)


def test_between_hosts_where_the_rules_lead_nowhere_there_is_no_way() -> None:
    plan = one_switch(2)
    with pytest.raises(LookupError, match="c1-l1 has no rule for a packet to c1-h100-2"):
        path(Wires(replace(plan, rules=())), *plan.hosts)


# --- against the textbook ------------------------------------------------------------------------


@given(st.integers(1, 8), st.integers(1, 50), st.sampled_from(["0ns", "5us"]))
@settings(max_examples=40)
def test_on_a_uniform_fabric_whole_packets_take_what_the_textbooks_formula_says(
    ranks: int, packets: int, delay: str
) -> None:
    plan = one_switch(ranks, delay)
    size = ranks * packets * PAYLOAD
    frame_s = 8 * FRAME / 1e9
    alpha_s = frame_s + (10e-6 if delay == "5us" else 0.0)
    textbook_s = 2 * (ranks - 1) * (alpha_s + size / ranks * paced(1e9))
    assert ring_textbook_s(plan, size) == pytest.approx(textbook_s)
    assert max(ends_s(plan, ring_all_reduce(ranks, size), [0.0] * ranks)) == pytest.approx(
        textbook_s
    )


@given(st.lists(st.floats(0, 100), min_size=3, max_size=3), st.floats(0, 100))
@settings(max_examples=40)
def test_the_model_has_no_clock_of_its_own(starts_s: list[float], later_s: float) -> None:
    plan, schedule = one_switch(3), ring_all_reduce(3, 12_000)
    ends = ends_s(plan, schedule, starts_s)
    shifted = ends_s(plan, schedule, [start + later_s for start in starts_s])
    assert shifted == pytest.approx([end + later_s for end in ends])


@given(st.lists(st.floats(0, 100), min_size=3, max_size=3))
@settings(max_examples=40)
def test_nobody_ends_before_the_last_has_come_and_its_chunk_gone_round(
    starts_s: list[float],
) -> None:
    plan = one_switch(3)
    chunk_s = PAYLOAD * paced(1e9)
    frame_s = 8 * FRAME / 1e9
    last_s = max(starts_s)
    for end in ends_s(plan, ring_all_reduce(3, 3 * PAYLOAD), starts_s):
        assert end >= last_s + 2 * (chunk_s + frame_s) - 1e-9
        assert end <= last_s + 4 * (chunk_s + frame_s) + 1e-9


def test_a_message_smaller_than_a_packet_takes_its_own_bytes_on_every_wire() -> None:
    wires_s = 2 * 8 * (100 + HEADERS) / 1e9
    assert ends_s(one_switch(2, "5us"), ONE_MESSAGE, [0.0, 0.0]) == [
        0.0,
        pytest.approx(wires_s + 10e-6),
    ]


# --- messages that wait for each other -------------------------------------------------------------


def test_messages_to_one_host_wait_for_each_other_at_its_port() -> None:
    """A chunk takes u at the switch's port, p at each sender's paced NIC: all are there n−1 u after the
    first frame."""
    ranks, packets = 5, 100
    schedule = make_schedule("reduce", "binomial", Layout.one_campus(2), packets * PAYLOAD)
    incast = tuple(
        tuple(op._replace(peer=0) for op in schedule[1])
        if rank
        else tuple(schedule[0][0]._replace(peer=peer) for peer in range(1, ranks))
        for rank in range(ranks)
    )
    ends = ends_s(one_switch(ranks), incast, [0.0] * ranks)
    frame_s = 8 * FRAME / 1e9
    assert ends[0] == pytest.approx((ranks - 1) * packets * PAYLOAD * beta(1e9) + frame_s)


def test_messages_to_two_hosts_share_the_senders_nic_packet_by_packet() -> None:
    packets = 100
    piece = Piece(0, packets * PAYLOAD)
    sends, receive = (Op("send", 1, *piece), Op("send", 2, *piece)), (Op("copy", 0, *piece),)
    schedule = (sends, receive, receive)
    ends = ends_s(one_switch(3), schedule, [0.0] * 3)
    one_s, frame_s = packets * PAYLOAD * paced(1e9), 8 * FRAME / 1e9
    part_s = 4 * PAYLOAD * paced(1e9)  # a message is in 32 parts at most
    assert ends == pytest.approx([0.0, 2 * one_s + frame_s - part_s, 2 * one_s + frame_s])


def test_a_slow_wire_holds_up_its_own_messages_alone() -> None:
    """Rank 0 sends over the long haul (ten times slower than its NIC) to rank 1; what it sends to its
    neighbour after that need not wait for the long haul."""
    plan = plan_of("""
defaults:
  campuses: {fabric: {kind: single, host-delay: 0ns, link-delay: 0ns, border-rate: 100Gbit/s}}
campuses:
  c1: {hosts: [{count: 2, accelerator: H100, nics: 1, nic: 100Gbit/s}]}
  c2: {hosts: [{count: 1, accelerator: H100, nics: 1, nic: 100Gbit/s}]}
links:
  c1-c2: {between: [c1, c2], delay: 1ms, rate: 10Gbit/s}
""")
    piece = Piece(0, 100 * PAYLOAD)
    schedule = (
        (Op("send", 2, *piece), Op("send", 1, *piece)),
        (Op("copy", 0, *piece),),
        (Op("copy", 0, *piece),),
    )
    ends = ends_s(plan, schedule, [0.0] * 3)
    near_s, far_s = piece.size * paced(100e9), piece.size * beta(10e9)
    assert ends[1] == pytest.approx(2 * near_s + 8 * FRAME / 100e9)
    assert ends[2] == pytest.approx(far_s + 1e-3 + 4 * 8 * FRAME / 100e9)


def test_what_is_still_on_the_long_haul_does_not_occupy_the_port_where_it_will_arrive() -> None:
    """Rank 2 is sent a message over the long haul, then one by its neighbour: that one is there first."""
    plan = plan_of("""
defaults:
  campuses: {fabric: {kind: single, host-delay: 0ns, link-delay: 0ns, border-rate: 100Gbit/s}}
campuses:
  c1: {hosts: [{count: 1, accelerator: H100, nics: 1, nic: 100Gbit/s}]}
  c2: {hosts: [{count: 2, accelerator: H100, nics: 1, nic: 100Gbit/s}]}
links:
  c1-c2: {between: [c1, c2], delay: 1ms, rate: 100Gbit/s}
""")
    piece = Piece(0, 10 * PAYLOAD)
    schedule = (
        (Op("send", 2, *piece),),
        (Op("send", 2, *piece), Op("copy", 2, *piece)),
        (Op("copy", 0, *piece), Op("copy", 1, *piece), Op("send", 1, *piece, after=(1,))),
    )
    ends = ends_s(plan, schedule, [0.0, 1e-6, 0.0])
    one_s, frame_s = piece.size * paced(100e9), 8 * FRAME / 100e9
    assert ends[1] == pytest.approx(1e-6 + 2 * (one_s + frame_s))
    assert ends[2] >= 1e-3


# --- against a pencil ----------------------------------------------------------------------------


def test_two_ranks_over_an_uneven_link_take_as_long_as_a_pencil_says() -> None:
    """Rank 0 sends a half in 1 s, rank 1 in 4 s; the light takes A there and B back.

    Step 0: rank 1 has rank 0's half at 1 + A, rank 0 has rank 1's at 4 + B.
    Step 1: rank 0 sends at 4 + B (its wire is long free): there at 5 + A + B. Rank 1 could send at
    1 + A, but its wire is busy until 4: back at 8 + B.
    """
    plan = two_campuses(", backward: {delay: 2ms, rate: 2.5Gbit/s}")
    half = round(1 / beta(10e9)) // 4 * 4
    second = half * beta(10e9)
    wires = Wires(plan)
    there, back = path(wires, *plan.hosts).alpha_s, path(wires, *reversed(plan.hosts)).alpha_s
    ends = ends_s(plan, ring_all_reduce(2, 2 * half), [0.0, 0.0])
    assert ends == pytest.approx([8 * second + back, 5 * second + there + back])


def test_three_ranks_of_which_one_comes_late_take_as_long_as_a_pencil_says() -> None:
    """A chunk takes 1, a frame more a; rank 2 comes at 10. Arrivals, step by step:

    at rank 0 (from 2): 11+a, 12+a (wire busy until 11), 13+a, then 14+4a, for rank 2 passes on what
        it has at 13+3a;
    at rank 1 (from 0): 1+a, then each a chunk after rank 0 has it: 12+2a, 13+2a, 14+2a;
    at rank 2 (from 1): 1+a and 2+2a (taken at 10), 13+3a, 14+3a.
    """
    plan = one_switch(3)
    chunk = round(1 / paced(1e9)) // 4 * 4
    one, a = chunk * paced(1e9), 8 * FRAME / 1e9
    ends = ends_s(plan, ring_all_reduce(3, 3 * chunk), [0.0, 0.0, 10.0])
    expected = [10 + 4 * one + 4 * a, 10 + 4 * one + 2 * a, 10 + 4 * one + 3 * a]
    assert ends == pytest.approx(expected, rel=1e-12)


def test_three_ranks_with_one_slow_nic_take_as_long_as_a_pencil_says() -> None:
    """A chunk takes u from rank 0 to 1 (the switch's slow port), p from 1 to 2 (its slow NIC, paced, so
    p > u), q from 2 to 0; a frame more a.

    at rank 1 (from 0): u+a, 2u+a, 3u+a, 4u+a: rank 0's wire is always busy;
    at rank 2 (from 1): p+a, 2p+a, 3p+a, 4p+a: and so is rank 1's;
    at rank 0 (from 2): q+a, p+q+2a, 2p+q+2a, 3p+q+2a: rank 2 passes on at once what it has.
    """
    plan = plan_of("""
campuses:
  c1:
    fabric: {kind: single, host-delay: 0ns}
    hosts:
      - {count: 3, accelerator: H100, nics: 1, nic: 100Gbit/s, exceptions: {2: {nic: 50Gbit/s}}}
""")
    chunk = 500 * PAYLOAD
    u, p, q = (chunk * each for each in (beta(50e9), paced(50e9), paced(100e9)))
    a = 8 * FRAME / 100e9
    ends = ends_s(plan, ring_all_reduce(3, 3 * chunk), [0.0] * 3)
    assert ends == pytest.approx([3 * p + q + 2 * a, 4 * u + a, 4 * p + a], rel=1e-12)


def test_iterations_that_overlap_settle_where_each_takes_the_same() -> None:
    model, schedule = Model(two_campuses()), ring_all_reduce(2, 800_000)
    ends = [0.0, 0.0]
    for _ in range(50):
        starts = [ends[0], ends[1] + 0.1]
        ends = model.ends_s(schedule, starts)
    settled = max(ends) - max(starts)
    assert model.collective_s(schedule, [0.0, 0.1]) == pytest.approx(settled, rel=1e-3)


def test_a_schedule_whose_ranks_wait_for_each_other_has_no_end() -> None:
    waiting = (Op("copy", 1, 0, 4), Op("send", 1, 0, 4, after=(0,)))
    mirrored = tuple(op._replace(peer=0) for op in waiting)
    with pytest.raises(ValueError, match="4 operations wait for each other"):
        ends_s(one_switch(2), (waiting, mirrored), [0.0, 0.0])


def test_a_schedule_whose_sends_nobody_takes_is_refused() -> None:
    with pytest.raises(ValueError, match="does not receive"):
        ends_s(one_switch(2), ((Op("send", 1, 0, 4),), ()), [0.0, 0.0])


# --- programs ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def workload() -> Training:
    found = load_workload(ROOT / "traffic" / "workloads" / "training.yaml")
    assert isinstance(found, Training)
    return found


@pytest.fixture(scope="module")
def colossus() -> Plan:
    return make_plan(load_topology(ROOT / "topologies" / "colossus.yaml"))


def test_the_carried_bytes_are_the_gradients_divided_by_the_scale(
    workload: Training, colossus: Plan
) -> None:
    assert size_bytes(workload, colossus) == 14e9 / 2000


def test_a_collective_carries_at_least_one_element_per_rank(
    workload: Training, colossus: Plan
) -> None:
    tiny = replace(workload, gradient_bytes=2.0)
    assert size_bytes(tiny, colossus) == 24 * ELEMENT_BYTES


def test_compute_time_is_an_equal_share_per_gpu_of_six_n_tokens_over_the_hosts_speed(
    workload: Training, colossus: Plan
) -> None:
    hosts = at_speed(colossus, "bf16", 7e9).hosts
    seconds = dict(zip((h.name for h in hosts), compute_s(workload, hosts), strict=True))
    flop = 6 * 7e9 * 4 * 2**20 / sum(host.gpus for host in hosts)
    assert seconds["c1-h100-1"] == pytest.approx(flop / (6 * 8.03e9 * 10682))
    assert seconds["c3-gb200-1"] == pytest.approx(flop / (6 * 405.9e9 * 438.2))


def test_programs_say_what_the_schedule_and_the_workload_say_and_are_read_as_they_were_written(
    workload: Training, colossus: Plan, tmp_path: Path
) -> None:
    schedule = schedule_of(workload, colossus)
    hosts = at_speed(colossus, "bf16", 7e9).hosts
    assigned = prepare(workload, colossus, seed=1).programs.values()
    programs: list[Program] = [one.program for one in assigned]
    for program in programs:
        (tmp_path / "program.json").write_text(written(program))
        assert read(tmp_path / "program.json") == program
    assert [program.rank for program in programs] == list(range(24))
    for program, ops in zip(programs, schedule, strict=True):
        compute, collective = program.tasks
        assert isinstance(compute, ComputeTask)
        assert isinstance(collective, CollectiveTask)
        assert program.iterations == workload.warmup + workload.iterations
        assert program.addresses == tuple(host.ip for host in colossus.hosts)
        assert compute.ns == round(compute_s(workload, hosts)[program.rank] * 1e9)
        assert collective.after == (0,)
        # the first process group's connections
        assert collective.ops == on_channels(ops, CHANNELS)
