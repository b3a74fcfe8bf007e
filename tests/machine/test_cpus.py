"""CPUs of guests: dealt out evenly, and given back."""

import os
from contextlib import ExitStack

import pytest

from longhaul.machine import cpus

pytestmark = pytest.mark.alone


def test_guests_are_dealt_to_all_cpus_before_one_has_more_than_another() -> None:
    allowed = sorted(os.sched_getaffinity(0))
    with ExitStack() as stack:
        dealt = [stack.enter_context(cpus.taken()) for _ in range(20 * len(allowed))]
    late = dealt[-10 * len(allowed) :]  # others' guests may have had some of the first
    assert {cpu: late.count(cpu) for cpu in allowed} == dict.fromkeys(allowed, 10)


def test_a_cpu_that_is_asked_for_is_given_and_counted() -> None:
    allowed = sorted(os.sched_getaffinity(0))
    with ExitStack() as stack:
        for _ in range(20):
            assert stack.enter_context(cpus.taken(allowed[0])) == allowed[0]
        others = {stack.enter_context(cpus.taken()) for _ in range(15 * (len(allowed) - 1))}
    assert others == set(allowed[1:])


def test_a_cpu_is_free_again_when_its_guest_has_ended() -> None:
    with ExitStack() as stack:
        for _ in range(50):
            stack.enter_context(cpus.taken())
        with cpus.taken() as first:
            pass
        with cpus.taken() as again:
            assert again == first
