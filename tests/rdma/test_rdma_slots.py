"""What a queue pair keeps of messages that may have to be sent again."""

from collections import deque
from types import SimpleNamespace

from traffic.host.registered import PARTS
from traffic.host.roce import RoceConnection


def under_way(messages: list[int], slots: int) -> RoceConnection:
    """A connection that has posted messages of so many requests each, and has so many slots."""
    connection = object.__new__(RoceConnection)
    connection._room = SimpleNamespace(sends=PARTS * slots)
    connection._under_way = deque(messages)
    connection._posted = sum(messages)
    return connection


def test_small_messages_take_a_slot_each_until_they_are_acknowledged() -> None:
    """One request each: as many requests fit as two per slot, but no more messages than slots."""
    assert not under_way([1] * 7, slots=8)._is_full()
    assert under_way([1] * 8, slots=8)._is_full()


def test_large_messages_take_two_requests_each() -> None:
    assert not under_way([2] * 7, slots=8)._is_full()
    assert under_way([2] * 8, slots=8)._is_full()
    assert under_way([2, 1] * 4, slots=8)._is_full()
