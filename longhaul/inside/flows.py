"""Counts packets and bytes of every rule of every switch, from one moment to another.

Rows of Open vSwitch's own account, over OpenFlow; read before the workload begins and after it has ended, so
that nothing of it is touched.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path

from longhaul.emulation.openvswitch import Flow, flows
from scenario.plan.types import Plan

RAW = "flows.json"
ADDED_UP_S = 1.0
"""Open vSwitch adds up what its data plane has counted at least twice a second (max-revalidator)."""

Key = tuple[str, int, int, str]


@contextmanager
def counted(plan: Plan, folder: Path) -> Iterator[None]:
    """Write to `folder` what each rule counts meanwhile; one that is made meanwhile, from then on."""
    before = _held(plan)
    yield
    rows = [
        {"node": key[0]} | asdict(_since(flow, before.get(key)))
        for key, flow in _held(plan).items()
    ]
    (folder / RAW).write_text(json.dumps(rows))


def _held(plan: Plan) -> dict[Key, Flow]:
    time.sleep(ADDED_UP_S)
    return {
        (switch.name, flow.cookie, flow.priority, flow.match): flow
        for switch in plan.switches
        for flow in flows(switch.name)
    }


def _since(now: Flow, before: Flow | None) -> Flow:
    if before is None or now.packets < before.packets:
        return now
    return replace(now, packets=now.packets - before.packets, bytes=now.bytes - before.bytes)
