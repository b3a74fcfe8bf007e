"""Two campuses and a link that each host of the first sends over: what the model says of it, a pencil can check."""

from __future__ import annotations

from scenario.plan.types import Plan
from tests.fabric.planned import plan_of
from traffic.model.course import Course, tolls
from traffic.model.execution import Execution
from traffic.model.wires import Wires
from traffic.schedule import Op, Schedule

FRAME, PAYLOAD = 9014, 8948  # bytes on the wire, and of them for the user, at an MTU of 9000
LINK_BPS = 10e9


def campuses(hosts: int, delay: str = "1us") -> Plan:
    """As many hosts in each of two campuses, every NIC ten times as fast as the link between."""
    return plan_of(f"""
defaults:
  campuses: {{fabric: {{kind: single, host-delay: 0ns, link-delay: 0ns, border-rate: 400Gbit/s}}}}
campuses:
  c1: {{hosts: [{{count: {hosts}, accelerator: H100, nics: 1, nic: 100Gbit/s}}]}}
  c2: {{hosts: [{{count: {hosts}, accelerator: H100, nics: 1, nic: 100Gbit/s}}]}}
links:
  c1-c2: {{between: [c1, c2], delay: {delay}, rate: {LINK_BPS / 1e9:g}Gbit/s}}
""")


def across(hosts: int, *sizes: int) -> Schedule:
    """Each host of the first campus sends to its like in the second one: messages of these sizes, in order."""
    sends = tuple(
        tuple(Op("send", hosts + rank, 0, size) for size in sizes) for rank in range(hosts)
    )
    receives = tuple(tuple(Op("copy", rank, 0, size) for size in sizes) for rank in range(hosts))
    return sends + receives


def link_s(size_bytes: int) -> float:
    """What a message of whole packets takes on the link."""
    return 8 * size_bytes / LINK_BPS * FRAME / PAYLOAD


def whole_s(plan: Plan, schedule: Schedule, starts_s: list[float]) -> list[float]:
    """As if messages crossed one after another."""
    course = Course(schedule)
    return Execution(course, tolls(course, Wires(plan)), starts_s).run()
