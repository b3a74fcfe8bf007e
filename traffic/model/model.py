"""What a schedule should cost on a planned fabric: the α–β model, with the pipelining that the schedule's
own dependencies allow, and with messages that wait for each other on the wires that they share.

Pure; printed beside what was measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from scenario.plan.types import Plan
from scenario.types.topology import Transport
from traffic.framing import TCP
from traffic.model.course import Course, tolls
from traffic.model.settling import repeating
from traffic.model.sharing import ends_s as course_ends_s
from traffic.model.windows import paced
from traffic.model.wires import Schedules, Wires, largest_bytes, path
from traffic.schedule import Schedule

__all__ = ["Model", "ends_s", "path", "ring_textbook_s"]


class Model:
    """The α–β model of a fabric. `beside` are schedules that are replayed over the same connections, as
    those of a benchmark are: a connection has one class, by the largest of all its messages."""

    def __init__(self, plan: Plan, transport: Transport = TCP, beside: Schedules = ()) -> None:
        self.wires = Wires(plan, transport)
        self._beside = largest_bytes(beside)

    def ends_s(self, schedule: Schedule, starts_s: Sequence[float]) -> list[float]:
        """When each rank is done with a collective that the ranks enter at `starts_s`.

        Ranks that start early get ahead as far as the schedule lets them. Messages cross each wire in the
        order in which they come to it, every wire while the one before still sends the rest. For the
        sender a message is done when the transport has it, at once. Raises ValueError for a schedule that
        cannot finish.
        """
        course = Course(schedule)
        costs = paced(course, tolls(course, self.wires, self._beside), starts_s)
        return course_ends_s(course, costs, starts_s)

    def collective_s(self, schedule: Schedule, compute_s: Sequence[float]) -> float:
        """Seconds from the last rank's entry to the last rank's end, once iterations of compute and
        collective repeat: who ends early also enters the next one early. The mean, where lengths alternate.
        """
        course = Course(schedule)
        costs = paced(course, tolls(course, self.wires, self._beside), compute_s)

        def entered(ends: Sequence[float]) -> list[float]:
            return [end + own for end, own in zip(ends, compute_s, strict=True)]

        turn = repeating(len(schedule), lambda ends: course_ends_s(course, costs, entered(ends)))
        took = [max(ends) - max(entered(before)) for before, ends in pairwise(turn)]
        return sum(took) / len(took)


def ends_s(plan: Plan, schedule: Schedule, starts_s: Sequence[float]) -> list[float]:
    """`Model.ends_s` of a plan."""
    return Model(plan).ends_s(schedule, starts_s)


def ring_textbook_s(plan: Plan, size_bytes: int, transport: Transport = TCP) -> float:
    """2(n−1)α + 2(n−1)/n·Sβ with the worst α and β of the ring: no pipelining. [Thakur 2005]"""
    hosts = plan.hosts
    count, wires = len(hosts), Wires(plan, transport)
    ways = (
        [path(wires, host, hosts[(host.rank + 1) % count]) for host in hosts] if count > 1 else []
    )
    alpha_s = max((way.alpha_s for way in ways), default=0.0)
    beta = max((way.beta_s_per_byte for way in ways), default=0.0)
    return 2 * (count - 1) * (alpha_s + size_bytes / count * beta)
