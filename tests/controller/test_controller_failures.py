"""Spans cut in the real fabric, in virtual time, while a stream of numbered datagrams crosses them.

Every datagram is sent at a known nanosecond, so it is known which of them are on the wire when the
cut comes: those are lost, whatever anybody does. Open vSwitch looks over its data plane at most once
in 5 ms; until then packets may follow.
"""

from pathlib import Path

import pytest

from bench.failover import COUNT, CUT_S, GAP_S, TRIANGLE, Cut, StreamSeen, plan_of, stream

DELAY_S = 78.82e-6
REVALIDATED_S = 5e-3
IN_TIME_S = 1e-3
"""Open vSwitch counts its 5 ms in whole milliseconds."""
MENDED_S, HELD_S = 0.18, 0.05
SPAN = "c1-c2"
DIRECT, AROUND = "c1-b-eth3", "c1-b-eth4"

pytestmark = pytest.mark.usefixtures("kernel")


def run(routing: str, *cuts: Cut, gap_s: float = GAP_S) -> StreamSeen:
    plan = plan_of(TRIANGLE, f"routing={routing}")
    found = stream(plan, ("c1-h100-1", "c2-h100-1"), cuts, gap_s)
    assert found.doubled == 0
    return found


def concerned(at_s: float, gap_s: float = GAP_S) -> set[int]:
    """Numbers that are under way when a cut comes, or sent before switches have gone over."""
    first, last = at_s - 3 * DELAY_S, at_s + REVALIDATED_S + 1e-9
    return {number for number in range(COUNT) if first <= number * gap_s <= last}


@pytest.fixture(scope="module")
def cut_and_mended(kernel: Path) -> StreamSeen:  # noqa: ARG001
    cuts = [(CUT_S, "down", SPAN), (MENDED_S, "up", SPAN)]
    return run("{repair-after: 50ms, hold-down: 50ms}", *cuts)


def test_fast_failover_loses_what_is_on_the_wire_and_no_more_than_five_milliseconds(
    cut_and_mended: StreamSeen,
) -> None:
    assert cut_and_mended.lost
    assert set(cut_and_mended.lost) <= concerned(CUT_S)


def test_repair_and_return_lose_nothing(cut_and_mended: StreamSeen) -> None:
    assert "generation 2" in cut_and_mended.log
    assert "generation 3" in cut_and_mended.log
    assert max(cut_and_mended.lost) * GAP_S <= CUT_S + REVALIDATED_S


def test_traffic_goes_around_while_the_span_is_down_and_until_it_has_held(
    cut_and_mended: StreamSeen,
) -> None:
    # When the span returns, the border sends an LLDP frame out of every port.
    direct, around = (cut_and_mended.sent[port] - 1 for port in (DIRECT, AROUND))
    away, early = round((MENDED_S + HELD_S - CUT_S) / GAP_S), round(REVALIDATED_S / GAP_S)
    assert away - early <= around <= away + round(IN_TIME_S / GAP_S)
    straight = COUNT - around - len(cut_and_mended.lost)
    assert straight <= direct <= straight + len(cut_and_mended.lost)


def test_traffic_is_silent_for_the_detour_and_what_is_lost(cut_and_mended: StreamSeen) -> None:
    expected_s = 2 * DELAY_S + (len(cut_and_mended.lost) + 1) * GAP_S
    assert cut_and_mended.silence_s <= expected_s


@pytest.mark.slow
def test_without_protection_traffic_waits_for_the_controller() -> None:
    found = run("{protection: none, repair-after: 20ms}", (CUT_S, "down", SPAN))
    repaired_s = 0.02 + IN_TIME_S
    assert 0.02 - IN_TIME_S <= len(found.lost) * GAP_S <= repaired_s + DELAY_S + GAP_S
    assert 0.02 - IN_TIME_S <= found.silence_s <= repaired_s + 4 * DELAY_S + GAP_S


@pytest.mark.slow
def test_a_packet_turns_back_where_the_span_ahead_is_cut() -> None:
    # From c1 to c2 by way of c3. When c3-c2 is cut, c3 sends packets back to where they come from.
    static = (
        "{policy: static, paths: [{between: [c1, c2], over: [c1-c3, c2-c3]}], repair-after: 9s}"
    )
    found = run(static, (CUT_S, "down", "c2-c3"))
    assert set(found.lost) <= concerned(CUT_S)
    after = COUNT - round(CUT_S / GAP_S) - len(found.lost)
    assert found.sent["c1-b-eth4"] == COUNT  # all go to c3 first,
    assert found.sent["c3-b-eth4"] == pytest.approx(after, abs=2)  # come back to c1,
    assert found.sent["c1-b-eth3"] == pytest.approx(after, abs=2)  # and then go straight to c2


@pytest.mark.slow
def test_a_crashed_controller_costs_no_packet_and_a_span_cut_meanwhile_no_more_than_ever() -> None:
    cuts = [(0.05, "kill", "controller"), (CUT_S, "down", SPAN), (0.15, "start", "controller")]
    found = run("shortest-delay", *cuts, gap_s=1e-3)
    assert set(found.lost) <= concerned(CUT_S, 1e-3)
    assert found.log.count("instantiating app controller.routed") == 2
    assert "generation 2" in found.log, "it takes over what it finds, as a new generation"
    assert "without c1-c2" in found.log, "the controller that returns finds the span down"


@pytest.mark.slow
def test_a_flapping_span_is_held_down_for_longer_each_time() -> None:
    downs_s = [0.02, 0.06, 0.1]
    flaps = [
        cut for at_s in downs_s for cut in ((at_s, "down", SPAN), (at_s + 0.01, "up", SPAN))
    ]  # fmt: skip
    found = run("{hold-down: 10ms, repair-after: 1ms}", *flaps)
    held = [line.split("used in ")[1] for line in found.log.splitlines() if "used in" in line]
    assert held == ["0.01 s", "0.02 s", "0.04 s"]
    assert set(found.lost) <= set().union(*map(concerned, downs_s))


@pytest.mark.slow
def test_damping_does_not_cut_a_campus_off() -> None:
    # c1-c2 is back, but held down, when c1's only other span is cut: better that than none.
    cuts = [(0.02, "down", SPAN), (0.04, "up", SPAN), (CUT_S, "down", "c1-c3")]
    found = run("{hold-down: 9s, repair-after: 10ms}", *cuts)
    repaired_s = CUT_S + 0.01
    silent = {n for n in range(COUNT) if CUT_S - 3 * DELAY_S <= n * GAP_S <= repaired_s}
    assert set(found.lost) <= concerned(0.02) | silent | concerned(repaired_s)
    assert found.numbers[-1] == COUNT - 1
