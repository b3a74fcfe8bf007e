"""What a plan lets one expect of requests, reckoned by hand."""

from pathlib import Path

import pytest

from longhaul.planning import make_plan
from scenario.loading import load_topology
from scenario.plan import forwarding
from scenario.plan.types import Plan, PlannedHost
from tests.serving.conftest import Written
from traffic.serving.expected import Hands, carried, first_token_s, message_s
from traffic.serving.kind import prepare
from traffic.serving.line import HEADER

# Two hosts on one switch each, their NICs of 8 Gbit/s, ten thousand kilometres apart on 1 Gbit/s.
TOPOLOGY = """\
longhaul: 1
name: two
scale: {{bytes: {scale}}}
mtu: 1066
accelerators:
  T1: {{peak: 100TFLOP/s, mfu: 50%, hbm: 1TB/s, nic: 8Gbit/s, nvlink: 100GB/s, per-host: 1}}
defaults:
  campuses:
    fabric: {{kind: single, host-delay: 1us, link-delay: 1us, border-rate: 8Gbit/s}}
    hosts: [{{count: 1, accelerator: T1}}]
campuses: {{c1: {{}}, c2: {{}}}}
links: {{c1-c2: {{between: [c1, c2], delay: 50ms, rate: 1Gbit/s}}}}
"""
FRAME_BITS = 8 * 1080
WIRES_S = 4 * 1e-6 + 50e-3


def plan(folder: Path, scale: float = 1.0) -> Plan:
    file = folder / "two.yaml"
    file.write_text(TOPOLOGY.format(scale=scale), encoding="utf-8")
    return make_plan(load_topology(file))


def ends(made: Plan) -> tuple[PlannedHost, PlannedHost]:
    source, sink = made.hosts
    return source, sink


def test_a_small_message_takes_every_delay_and_its_own_bytes_on_every_wire(tmp_path: Path) -> None:
    made = plan(tmp_path)
    bits = 8 * (100 + 66)
    expected_s = WIRES_S + 4 * bits / 8e9 + bits / 1e9
    assert message_s(forwarding.of(made), *ends(made), 100) == pytest.approx(expected_s)


def test_a_large_message_follows_its_first_frame_at_the_slowest_pace(tmp_path: Path) -> None:
    made = plan(tmp_path)
    payload = 1066 - 52
    expected_s = WIRES_S + 4 * FRAME_BITS / 8e9 + 10 * FRAME_BITS / 1e9
    assert message_s(forwarding.of(made), *ends(made), 10 * payload) == pytest.approx(expected_s)


def test_a_small_last_frame_comes_behind_the_one_before_or_at_once(tmp_path: Path) -> None:
    """One of 80 bytes comes up with the full one before it behind the slow wire; one of 880 bytes does not."""
    made, payload = plan(tmp_path), 1066 - 52
    full_s, slow_s = FRAME_BITS / 8e9, FRAME_BITS / 1e9
    there_s = message_s(forwarding.of(made), *ends(made), 2 * payload + 14)
    assert there_s == pytest.approx(WIRES_S + 4 * full_s + 2 * slow_s + 8 * 80 / 8e9, abs=1e-12)
    there_s = message_s(forwarding.of(made), *ends(made), 2 * payload + 814)
    last_s = 8 * 880 / 1e9 + 2 * 8 * 880 / 8e9
    assert there_s == pytest.approx(WIRES_S + 2 * full_s + 2 * slow_s + last_s, abs=1e-12)


def test_messages_are_divided_down_to_a_header_and_to_one_byte(
    written: Written, tmp_path: Path
) -> None:
    workload = written("messages={prompt: 4B, token: 250B}")
    sizes = carried(workload, plan(tmp_path, scale=10))
    assert (sizes.request_bytes(1000), sizes.token_bytes) == (400, 25)
    sizes = carried(workload, plan(tmp_path, scale=1000))
    assert (sizes.request_bytes(1000), sizes.token_bytes) == (HEADER.size, 1)


def test_the_first_token_is_there_and_prefill_and_back(written: Written, tmp_path: Path) -> None:
    """8.03e9 parameters, 100 tokens: 2 x 8.03e9 x 100 operations at 50 TFLOP/s, or reading 16 GB."""
    made = plan(tmp_path)
    workload = written("messages={prompt: 4B, token: 250B}")
    there_s, back_s = (message_s(forwarding.of(made), *ends(made), size) for size in (400, 250))
    compute_s = max(2 * 8.03e9 * 100 / 50e12, 2 * 8.03e9 / 1e12)
    expected_s = there_s + compute_s + back_s
    hands = Hands(ends(made)[0], *[ends(made)[1]] * 2)
    found_s = first_token_s(workload, forwarding.of(made), hands, 100)
    assert found_s == pytest.approx(expected_s)


def test_a_host_that_is_a_client_is_no_replica(written: Written, tmp_path: Path) -> None:
    made = plan(tmp_path)
    prepared = prepare(written("clients=[c2-t1-1]"), made, seed=1)
    modules = {host: assigned.module for host, assigned in prepared.programs.items()}
    assert modules == {
        "c1-t1-1": "traffic.serving.replica",
        "c2-t1-1": "traffic.serving.gateway",
    }


def test_a_workload_needs_somebody_who_answers(written: Written, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="none is left to answer"):
        prepare(written("clients=[c1-t1-1, c2-t1-1]"), plan(tmp_path), seed=1)


def test_the_nearest_replica_is_nearest_for_each_client(written: Written, tmp_path: Path) -> None:
    prepared = prepare(written(), plan(tmp_path), seed=1)
    nearest = {
        client: min(prepared.programs[client].program.replicas, key=lambda one: one.distance_ns)
        for client in ("c1-prb", "c2-prb")
    }
    assert {client: one.rank for client, one in nearest.items()} == {"c1-prb": 0, "c2-prb": 1}


def test_contexts_go_from_those_who_read_to_those_who_answer(
    written: Written, tmp_path: Path
) -> None:
    """2 x 32 layers x 8 heads x 128 values of 2 bytes a token: 131,072 bytes, the tenth of them here."""
    made = plan(tmp_path, scale=10)
    prepared = prepare(written("prefill-on=[c1]", "clients=[c2]"), made, seed=1)
    modules = {host: assigned.module for host, assigned in prepared.programs.items()}
    assert modules == {
        "c1-t1-1": "traffic.serving.reader",
        "c2-t1-1": "traffic.serving.answerer",
        "c2-prb": "traffic.serving.gateway",
    }
    (expected,) = prepared.about["prediction"]["first_token"]
    context = 20 + round(100 * 2 * 32 * 8 * 128 * 2 / 10)
    handover_s = message_s(forwarding.of(made), *ends(made), context)
    assert expected["handover_s"] == pytest.approx(handover_s)
    assert expected["seconds"] == pytest.approx(
        handover_s
        + expected["prefill_s"]
        + message_s(forwarding.of(made), made.probes[1], made.hosts[0], 40)
        + message_s(forwarding.of(made), made.hosts[1], made.probes[1], 25)
    )


@pytest.mark.parametrize(
    ("readers", "why"), [("c3", "is matched by c3"), ("c*", "none is left to answer")]
)
def test_those_who_read_must_exist_and_leave_somebody_who_answers(
    written: Written, tmp_path: Path, readers: str, why: str
) -> None:
    with pytest.raises(ValueError, match=why):
        prepare(written(f"prefill-on=['{readers}']"), plan(tmp_path), seed=1)
