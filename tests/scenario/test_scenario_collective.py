"""The language of collectives names what there is."""

from typing import get_args

from scenario.workload.collective import Algorithm, Flat, Inner
from traffic.collectives import ALGORITHMS, INNER, outer_algorithms


def test_the_language_knows_every_all_reduce_there_is_and_no_other() -> None:
    known = {algorithm for op, algorithm in ALGORITHMS if op == "all_reduce"}
    assert set(get_args(Algorithm)) == known | {"auto"}
    assert set(get_args(Flat)) == set(outer_algorithms())
    assert set(get_args(Inner)) == set(INNER)
