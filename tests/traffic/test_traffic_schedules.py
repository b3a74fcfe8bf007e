"""Schedules, read by a second reader: right sums in any order of events, the promised bytes and steps."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.traffic.replay_in_memory import Deadlock, InMemory, bytes_sent
from tests.traffic.steps import longest_chain
from traffic.collectives import Layout, make_schedule
from traffic.collectives.building import Builder, copy, reduce
from traffic.collectives.options import DEFAULTS
from traffic.schedule import ELEMENT_BYTES, Op, Piece, Schedule, matches

RANKS = st.integers(1, 9)
ELEMENTS = st.integers(0, 60)
SEEDS = st.integers(0, 2**32)


def ring_all_reduce(ranks: int, size_bytes: int) -> Schedule:
    return make_schedule("all_reduce", "ring", Layout.one_campus(ranks), size_bytes)


@given(RANKS, ELEMENTS, SEEDS, st.integers(1, 40))
def test_a_ring_leaves_the_sum_on_every_rank_in_whatever_order_things_happen(
    ranks: int, elements: int, seed: int, room: int
) -> None:
    own = [[(rank + 1) * 1000 + place**2 for place in range(elements)] for rank in range(ranks)]
    total = [sum(column) for column in zip(*own, strict=True)]
    schedule = ring_all_reduce(ranks, elements * ELEMENT_BYTES)
    left = InMemory(schedule, [list(numbers) for numbers in own], seed, room).run()
    assert left == [total] * ranks


def test_a_second_reader_sees_a_reduction_too_few() -> None:
    schedule = ring_all_reduce(3, 12)
    broken = _with(schedule, 1, 1, schedule[1][1]._replace(kind="copy"))
    left = InMemory(broken, [[1] * 3 for _ in range(3)], seed=1, room=9).run()
    assert left != [[3] * 3] * 3


def test_a_second_reader_sees_a_send_that_does_not_wait_for_what_it_passes_on() -> None:
    schedule = ring_all_reduce(3, 12)
    hasty = tuple(tuple(op._replace(after=()) for op in ops) for ops in schedule)
    runs = [InMemory(hasty, [[1] * 3 for _ in range(3)], seed, room=9).run() for seed in range(50)]
    assert any(left != [[3] * 3] * 3 for left in runs)


def test_a_second_reader_sees_ranks_that_wait_for_each_other() -> None:
    waiting = (Op("copy", 1, 0, 4), Op("send", 1, 0, 4, after=(0,)))
    mirrored = tuple(op._replace(peer=0) for op in waiting)
    with pytest.raises(Deadlock, match="4 operations are left"):
        InMemory((waiting, mirrored), [[0], [0]], seed=1, room=9).run()


@given(st.integers(0, 10_000), st.integers(1, 40))
def test_chunks_cover_a_buffer_once_in_whole_elements_and_evenly(elements: int, count: int) -> None:
    pieces = Piece(40, elements * ELEMENT_BYTES).cut(count)
    at = 40
    for offset, size in pieces:
        assert offset == at
        assert size % ELEMENT_BYTES == 0
        at += size
    assert at == 40 + elements * ELEMENT_BYTES
    assert len(pieces) == count
    assert max(size for _, size in pieces) - min(size for _, size in pieces) <= ELEMENT_BYTES


@given(st.integers(2, 40), st.integers(0, 10_000))
def test_a_ring_sends_two_of_n_minus_one_nths_of_the_buffer_from_every_rank(
    ranks: int, elements: int
) -> None:
    size = elements * ELEMENT_BYTES
    exact = 2 * (ranks - 1) / ranks * size
    # All chunks but one, twice; a chunk is within one element of a nth of the buffer.
    for sent in bytes_sent(ring_all_reduce(ranks, size)):
        assert abs(sent - exact) < 2 * ELEMENT_BYTES


@given(st.integers(1, 40), st.integers(1, 50))
def test_a_ring_of_equal_chunks_sends_exactly_the_textbooks_bytes(ranks: int, each: int) -> None:
    size = ranks * each * ELEMENT_BYTES
    assert bytes_sent(ring_all_reduce(ranks, size)) == [2 * (size - size // ranks)] * ranks


@given(st.integers(1, 40))
def test_a_ring_takes_two_times_n_minus_one_steps_between_neighbours(ranks: int) -> None:
    schedule = ring_all_reduce(ranks, ranks * ELEMENT_BYTES)
    half = ranks - 1
    for rank, ops in enumerate(schedule):
        ahead, behind = (rank + 1) % ranks, (rank - 1) % ranks
        expected = {("send", ahead): 2 * half, ("reduce", behind): half, ("copy", behind): half}
        assert Counter((op.kind, op.peer) for op in ops) == Counter(expected)
    assert longest_chain(schedule) == 2 * half


# --- dependencies that are found out ---------------------------------------------------------------


def built(*steps: list[object], ranks: int = 3) -> Schedule:
    build = Builder(Layout.one_campus(ranks), DEFAULTS)
    for messages in steps:
        build.step(messages)  # type: ignore[arg-type]
    return build.schedule()


WHOLE, LOW, HIGH = Piece(0, 16), Piece(0, 8), Piece(8, 8)


def test_a_send_waits_for_all_that_was_written_to_its_bytes_and_no_more() -> None:
    schedule = built(
        [copy(0, 1, LOW)], [reduce(2, 1, HIGH)], [copy(1, 0, HIGH)], [copy(1, 2, WHOLE)]
    )
    assert [op.after for op in schedule[1]] == [(), (), (1,), (0, 1)]


def test_a_write_waits_for_those_who_still_read() -> None:
    schedule = built(
        [copy(1, 0, LOW)], [copy(1, 2, WHOLE)], [copy(0, 1, LOW)], [reduce(2, 1, HIGH)]
    )
    assert [op.after for op in schedule[1]] == [(), (), (0, 1), (1,)]


def test_sums_wait_for_a_copy_before_them_but_not_for_each_other() -> None:
    schedule = built([copy(0, 1, LOW)], [reduce(2, 1, LOW)], [reduce(0, 1, LOW)], [copy(1, 2, LOW)])
    assert [op.after for op in schedule[1]] == [(), (0,), (0,), (1, 2)]


def test_partners_who_exchange_the_same_bytes_add_only_when_theirs_are_sent() -> None:
    schedule = built([reduce(0, 1, WHOLE), reduce(1, 0, WHOLE)], ranks=2)
    assert [(op.kind, op.after) for op in schedule[0]] == [("send", ()), ("reduce", (0,))]


def test_partners_who_would_overwrite_what_they_send_are_refused() -> None:
    with pytest.raises(ValueError, match="rank 1 would overwrite"):
        built([copy(0, 1, WHOLE), copy(1, 0, WHOLE)], ranks=2)


def test_behind_a_fence_everything_waits_for_everything_before_it() -> None:
    build = Builder(Layout.one_campus(2), DEFAULTS)
    build.step([copy(0, 1, LOW), copy(0, 1, HIGH)])
    build.fence([0, 1])
    build.step([copy(0, 1, Piece(16, 8))])
    assert build.schedule()[0][2].after == build.schedule()[1][2].after == (0, 1)


# --- matches -------------------------------------------------------------------------------------


@given(RANKS, st.integers(0, 500))
def test_every_send_of_a_ring_meets_one_receive_of_its_size_at_its_peer(
    ranks: int, size: int
) -> None:
    schedule = ring_all_reduce(ranks, size)
    pairs = matches(schedule)
    sends = {
        (rank, index)
        for rank, ops in enumerate(schedule)
        for index, op in enumerate(ops)
        if op.kind == "send"
    }
    assert set(pairs) == sends
    assert len(set(pairs.values())) == len(sends) == sum(map(len, schedule)) // 2
    for (rank, index), (peer, there) in pairs.items():
        send, receive = schedule[rank][index], schedule[peer][there]
        assert (send.peer, receive.peer) == (peer, rank)
        assert receive.kind != "send"
        assert send.size == receive.size


def test_sends_between_two_ranks_meet_receives_in_their_order() -> None:
    schedule = (
        (Op("send", 1, 0, 8), Op("send", 1, 8, 4)),
        (Op("copy", 0, 0, 8), Op("reduce", 0, 8, 4)),
    )
    assert matches(schedule) == {(0, 0): (1, 0), (0, 1): (1, 1)}


UNPAIRED = r"does not receive|have no send|differ in size"
BREAKABLE = st.tuples(st.integers(2, 6), st.integers(6, 40), SEEDS)


@given(BREAKABLE)
def test_a_schedule_that_lacks_an_operation_is_refused(case: tuple[int, int, int]) -> None:
    schedule, rank, index = _pick(*case)
    ops = schedule[rank][:index] + schedule[rank][index + 1 :]
    with pytest.raises(ValueError, match=UNPAIRED):
        matches((*schedule[:rank], ops, *schedule[rank + 1 :]))


@given(BREAKABLE, st.sampled_from([-4, 4]))
def test_a_schedule_with_an_operation_of_another_size_is_refused(
    case: tuple[int, int, int], more: int
) -> None:
    schedule, rank, index = _pick(*case)
    op = schedule[rank][index]
    with pytest.raises(ValueError, match="differ in size"):
        matches(_with(schedule, rank, index, op._replace(size=op.size + more)))


@given(BREAKABLE)
def test_a_schedule_with_an_operation_for_another_peer_is_refused(
    case: tuple[int, int, int],
) -> None:
    schedule, rank, index = _pick(*case)
    op = schedule[rank][index]
    with pytest.raises(ValueError, match=UNPAIRED):
        matches(_with(schedule, rank, index, op._replace(peer=(op.peer + 1) % len(schedule))))


@given(BREAKABLE)
def test_a_schedule_that_sends_where_it_should_receive_is_refused(
    case: tuple[int, int, int],
) -> None:
    schedule, rank, index = _pick(*case)
    op = schedule[rank][index]
    turned = op._replace(kind="copy" if op.kind == "send" else "send")
    with pytest.raises(ValueError, match=UNPAIRED):
        matches(_with(schedule, rank, index, turned))


def _pick(ranks: int, elements: int, seed: int) -> tuple[Schedule, int, int]:
    """A ring, and one of its operations."""
    schedule = ring_all_reduce(ranks, elements * ELEMENT_BYTES)
    return schedule, seed % ranks, seed // ranks % len(schedule[0])


def _with(schedule: Schedule, rank: int, index: int, op: Op) -> Schedule:
    ops = schedule[rank]
    return (*schedule[:rank], (*ops[:index], op, *ops[index + 1 :]), *schedule[rank + 1 :])
