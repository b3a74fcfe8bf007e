"""Makes a running fabric what a State says: whatever differs from the state before is applied.

Sets interfaces down and up, gives links another shape, tells hosts to compute slower or not at all,
ends the controller and starts it again.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from longhaul.emulation import netlink
from longhaul.inside.stage import Stage
from scenario.plan.occurrences import State
from scenario.plan.types import Plan

Order = Callable[[str, float | None], None]
"""Tells a host how many times as long its compute takes from now on; None: it is off."""


class FabricState:
    """The state that a fabric is in, and what changes it."""

    def __init__(self, fabric: Stage, order: Order) -> None:
        self._fabric = fabric
        self._order = order
        self._ends = {end.interface: end for link in fabric.plan.wires for end in link.ends}
        self._state = State()
        self._changes = 0

    def become(self, wanted: State) -> None:
        """Apply all differences, those of the network in one go. Raises OSError."""
        before, self._state = self._state, wanted
        requests = netlink.NetlinkBatch()
        self._shape(requests, before, wanted)
        for interface in sorted(before.down ^ wanted.down):
            change = requests.down if interface in wanted.down else requests.up
            change(self._ends[interface].index)
        requests.send()
        self._slow(before, wanted)
        if wanted.controller_down and not before.controller_down:
            self._fabric.controller.kill()
        if before.controller_down and not wanted.controller_down:
            self._fabric.controller.start()

    def replan(self, plan: Plan, wanted: State) -> int:
        """Shape the switches' ports as another plan of the same wires says; returns how many differ. Raises OSError."""
        before = {name: self._state.shapes.get(name, end.shape) for name, end in self._ends.items()}
        self._ends = {end.interface: end for link in plan.wires for end in link.ends}
        self._state = replace(self._state, shapes=wanted.shapes)
        self._changes += 1
        requests, changed = netlink.NetlinkBatch(), 0
        for name, end in self._ends.items():
            shape = wanted.shapes.get(name, end.shape)
            if end.port and shape != before[name]:
                seed = f"{self._fabric.job.seed}/{self._changes}"
                requests.shape(name, end.index, shape, seed)
                changed += 1
        requests.send()
        return changed

    def _shape(self, requests: netlink.NetlinkBatch, before: State, wanted: State) -> None:
        """Every change has a seed of its own: else each would lose the same packets again."""
        self._changes += 1
        seed = f"{self._fabric.job.seed}/{self._changes}"
        for interface in sorted({*before.shapes, *wanted.shapes}):
            end = self._ends[interface]
            shape = wanted.shapes.get(interface, end.shape)
            if shape != before.shapes.get(interface, end.shape):
                requests.shape(interface, end.index, shape, seed)

    def _slow(self, before: State, wanted: State) -> None:
        for host in sorted({*before.slowdowns, *wanted.slowdowns}):
            slowdown = wanted.slowdowns.get(host, 1.0)
            if slowdown != before.slowdowns.get(host, 1.0):
                self._order(host, None if math.isinf(slowdown) else slowdown)
