"""What `verify: true` rests on: lanes are added right, and no wrong result looks right."""

import tracemalloc
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traffic.host.numbers import add, fill, right
from traffic.schedule import Result

LANES = st.lists(st.integers(0, 2**31 - 1), min_size=1, max_size=50)
LANE = 4
PERIOD = 4093  # lanes after which the pattern repeats


def _bytes(lanes: list[int]) -> bytes:
    return array("I", lanes).tobytes()


def _lanes(data: bytes | bytearray) -> list[int]:
    return array("I", bytes(data)).tolist()


@given(LANES, LANES, st.integers(0, 10))
def test_add_sums_lane_by_lane_and_touches_nothing_else(
    mine: list[int], theirs: list[int], before: int
) -> None:
    count = min(len(mine), len(theirs))
    data = bytearray(_bytes([7] * before + mine[:count] + [9, 9]))
    add(memoryview(data), memoryview(_bytes(theirs)), LANE * before, LANE * count)
    sums = [a + b for a, b in zip(mine, theirs, strict=False)]
    assert _lanes(data) == [7] * before + sums + [9, 9]


def test_sums_that_grow_too_large_for_their_lanes_stay_within_their_bytes() -> None:
    data = bytearray(_bytes([2**32 - 1, 5]))
    add(memoryview(data), memoryview(_bytes([2**32 - 1])), 0, LANE)
    assert _lanes(data) == [2**32 - 2, 5]


def contribution(rank: int, lanes: int, iteration: int = 0) -> bytearray:
    data = bytearray(LANE * lanes)
    fill(memoryview(data), rank, iteration)
    return data


def reduced(who: list[int], lanes: int, iteration: int = 0) -> bytearray:
    """The sum of the contributions of the ranks of `who`."""
    total = bytearray(LANE * lanes)
    for rank in who:
        add(memoryview(total), memoryview(contribution(rank, lanes, iteration)), 0, len(total))
    return total


def is_sum(data: bytearray, ranks: int, iteration: int = 0) -> bool:
    """Whether it is what an all-reduce must leave."""
    result = Result(0, len(data), 0, tuple(range(ranks)))
    return right(memoryview(data), [result], iteration)


RANKS = st.integers(2, 12)
FEW_LANES = st.integers(1, 300)


@given(RANKS, FEW_LANES, st.integers(0, 1000))
def test_the_sum_over_all_ranks_is_right(ranks: int, lanes: int, iteration: int) -> None:
    assert is_sum(reduced(list(range(ranks)), lanes, iteration), ranks, iteration)


def test_the_sum_over_more_lanes_than_the_pattern_has_is_right() -> None:
    assert is_sum(reduced([0, 1, 2], 2 * PERIOD + 5), 3)


def test_the_sum_over_hundreds_of_ranks_overflows_no_lane() -> None:
    total = reduced(list(range(300)), 50)
    own = [_lanes(contribution(rank, 50)) for rank in range(300)]
    assert _lanes(total) == [sum(column) for column in zip(*own, strict=True)]
    assert is_sum(total, 300)


@given(
    st.integers(1, 3 * PERIOD),
    st.integers(0, 2 * PERIOD),
    st.integers(0, 20),
    st.sets(st.integers(0, 20), min_size=1),
)
def test_any_bytes_of_the_sum_over_any_ranks_are_right_anywhere_and_nowhere_else(
    lanes: int, source: int, offset: int, who: set[int]
) -> None:
    sums = reduced(sorted(who), source + lanes)[LANE * source :]
    data = bytearray(LANE * offset) + sums
    result = Result(LANE * offset, len(sums), LANE * source, tuple(who))
    assert right(memoryview(data), [result], 0)
    assert not right(memoryview(data), [result._replace(source=LANE * (source + 1))], 0)
    assert not right(memoryview(data), [result._replace(of=tuple(who ^ {7}))], 0)


@given(RANKS, FEW_LANES, st.data())
def test_one_flipped_bit_is_seen(ranks: int, lanes: int, data: st.DataObject) -> None:
    total = reduced(list(range(ranks)), lanes)
    bit = data.draw(st.integers(0, 8 * len(total) - 1))
    total[bit // 8] ^= 1 << bit % 8
    assert not is_sum(total, ranks)


@given(RANKS, FEW_LANES, st.data())
def test_a_missing_rank_is_seen(ranks: int, lanes: int, data: st.DataObject) -> None:
    missing = data.draw(st.integers(0, ranks - 1))
    present = [rank for rank in range(ranks) if rank != missing]
    assert not is_sum(reduced(present, lanes), ranks)


@given(RANKS, FEW_LANES, st.data())
def test_a_rank_that_stands_in_for_another_is_seen(
    ranks: int, lanes: int, data: st.DataObject
) -> None:
    who = list(range(ranks))
    twice, missing = data.draw(st.permutations(who))[:2]
    who[missing] = twice
    assert not is_sum(reduced(who, lanes), ranks)


@given(RANKS, st.integers(2, 300), st.data())
def test_two_lanes_in_each_others_place_are_seen(
    ranks: int, lanes: int, data: st.DataObject
) -> None:
    here, there = data.draw(st.permutations(range(lanes)))[:2]
    total = _lanes(reduced(list(range(ranks)), lanes))
    total[here], total[there] = total[there], total[here]
    assert not is_sum(bytearray(_bytes(total)), ranks)


@given(RANKS, st.integers(2, 20), st.integers(2, 200), st.data())
def test_two_chunks_in_each_others_place_are_seen(
    ranks: int, count: int, each: int, data: st.DataObject
) -> None:
    here, there = (LANE * each * i for i in data.draw(st.permutations(range(count)))[:2])
    size = LANE * each
    total = reduced(list(range(ranks)), count * each)
    mine, theirs = total[here : here + size], total[there : there + size]
    total[here : here + size], total[there : there + size] = theirs, mine
    assert not is_sum(total, ranks)


@pytest.mark.parametrize("stale", [0, 2])
def test_the_result_of_another_iteration_is_seen(stale: int) -> None:
    assert not is_sum(reduced([0, 1, 2], 100, iteration=stale), 3, iteration=1)


PIECE = 64 * LANE * PERIOD


@pytest.mark.parametrize("offset", [0, LANE, PIECE - LANE, PIECE, 3 * LANE * PERIOD])
@pytest.mark.parametrize("source", [0, 5 * LANE, PIECE + 8 * LANE])
def test_sums_of_several_pieces_are_right_wherever_they_begin(offset: int, source: int) -> None:
    size = 2 * PIECE + 12 * LANE
    whole = reduced([0, 3], (source + size) // LANE)
    assert _lanes(whole) == [
        a + b
        for a, b in zip(
            _lanes(contribution(0, len(whole) // LANE)),
            _lanes(contribution(3, len(whole) // LANE)),
            strict=True,
        )
    ]
    data = bytearray(offset) + whole[source:]
    result = Result(offset, size, source, (0, 3))
    assert right(memoryview(data), [result], 0)
    for at in (offset, offset + PIECE - 1, offset + size - 1):
        data[at] ^= 1
        assert not right(memoryview(data), [result], 0)
        data[at] ^= 1


def test_no_memory_is_taken_beside_the_buffers() -> None:
    data, other = memoryview(bytearray(64 * PIECE)), memoryview(bytearray(64 * PIECE))
    tracemalloc.start()
    try:
        fill(data, 0, 0)
        fill(other, 1, 0)
        add(data, other, 0, len(data))
        assert right(data, [Result(0, len(data), 0, (0, 1))], 0)
        assert tracemalloc.get_traced_memory()[1] < 8 * PIECE
    finally:
        tracemalloc.stop()
