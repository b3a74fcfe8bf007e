"""Which replica a gateway chooses."""

from traffic.serving.balancing import POLICIES


def test_round_robin_takes_each_in_turn_however_loaded() -> None:
    policy = POLICIES["round-robin"]([1, 1, 1])
    assert [policy.choose([9, 0, 0]) for _ in range(5)] == [0, 1, 2, 0, 1]


def test_least_loaded_takes_the_one_with_the_fewest_and_of_equals_the_next_in_turn() -> None:
    policy = POLICIES["least-loaded"]([1, 1, 1])
    assert policy.choose([3, 1, 2]) == 1
    assert [policy.choose([2, 2, 2]) for _ in range(4)] == [2, 0, 1, 2]


def test_nearest_stays_among_the_nearest_and_spreads_over_them() -> None:
    policy = POLICIES["nearest"]([50, 10, 10, 80])
    assert [policy.choose([0, 5, 5, 0]) for _ in range(3)] == [1, 2, 1]
    assert policy.choose([0, 5, 4, 0]) == 2
