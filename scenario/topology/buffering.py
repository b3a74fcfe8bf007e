"""`switches:` and `rdma:` of a topology: how switches buffer, mark and pause, and what the adapters do about it."""

from __future__ import annotations

from typing import TypeAlias

from pydantic import Field

from scenario.text.fields import PositiveShare, Size
from scenario.text.strict import Strict
from scenario.text.tree import Problems
from scenario.types import topology as types

Class: TypeAlias = int
ROCE_CLASS = 3
"""The class of RoCE's packets: their DSCP is 26, as adapters have it by default."""


class MarkingModel(Strict):
    """When packets that wait are marked (ECN), by the bytes in their queue."""

    min: Size
    """No marks with less."""
    max: Size
    """All are marked with more."""
    probability: PositiveShare = 1.0
    """The share that is marked at `max`; from `min` on it grows evenly."""


class PausingModel(Strict):
    """Lossless classes (priority flow control, 802.1Qbb)."""

    classes: list[int] = Field(default=[ROCE_CLASS], min_length=1, max_length=8)
    """Which of the classes 0 to 7 are lossless: the upper three bits of a packet's DSCP. RoCE's is 3."""
    xoff: Size = 100e3
    """A port's neighbour is told to stop when more than this came in by it and waits."""
    xon: Size | None = None
    """It may go on when no more than this is left; else at half of `xoff`."""
    headroom: Size | None = None
    """Room above `xoff` for what is under way when the pause is sent, per port and class; else what the rate and
    the length of the cable ask for."""


class SwitchKind(Strict):
    """A model of switch: how it buffers."""

    buffer: Size
    """Its packet memory, which all ports share."""
    alpha: float = Field(default=1.0, gt=0, le=64)
    """A queue may take this many times what is free of it (dynamic threshold)."""
    ecn: MarkingModel | None = None
    """When it marks packets; else never."""
    pfc: PausingModel | None = None
    """Which classes it pauses rather than loses; else none."""
    source: str = ""
    """Where these figures are from."""


class RdmaModel(Strict):
    """How the hosts' adapters speak RoCE."""

    congestion: types.Congestion = "none"
    """What a queue pair does about marks: `none`; `dcqcn`, its rate is cut and raised; `window`, no more than
    `window` is ever under way; `split`, `dcqcn` inside a campus and `window` between campuses."""
    window: Size | None = None
    """How much of a queue pair may be under way; else with `congestion: window` twice the bandwidth-delay product of
    its path, and otherwise as much as a workload hands to it."""
    iwarp: bool = False
    """Whether every host has a device of Soft-iWARP, `siw0`, beside `rxe0`: RDMA over TCP, for programs of your own."""


def check(switches: dict[str, SwitchKind], problems: Problems) -> None:
    """Thresholds in the wrong order."""
    for name, written in switches.items():
        steps = ("switches", name)
        if written.ecn and written.ecn.max < written.ecn.min:
            problems.add((*steps, "ecn", "max"), "`max` is less than `min`", "at least `min`")
        if written.pfc:
            _check_pausing((*steps, "pfc"), written.pfc, problems)


def _check_pausing(steps: tuple[str, ...], written: PausingModel, problems: Problems) -> None:
    if any(not 0 <= one <= 7 for one in written.classes):
        problems.add((*steps, "classes"), "there is no such class", "0 to 7")
    if written.xon and written.xon > written.xoff:
        problems.add((*steps, "xon"), "`xon` is more than `xoff`", "at most `xoff`")


def switch_model(name: str | None, switches: dict[str, SwitchKind]) -> types.SwitchModel | None:
    """A model of switch in SI units; None for none."""
    if name is None:
        return None
    written = switches[name]
    marking, pausing = _marking(written.ecn), _pausing(written.pfc)
    return types.SwitchModel(name, written.buffer, written.alpha, marking, pausing)


def _marking(written: MarkingModel | None) -> types.Marking | None:
    if written is None:
        return None
    return types.Marking(written.min, written.max, written.probability)


def _pausing(written: PausingModel | None) -> types.Pausing | None:
    if written is None:
        return None
    xon = written.xoff / 2 if written.xon is None else written.xon
    return types.Pausing(tuple(written.classes), written.xoff, xon, written.headroom)


def rdma(written: RdmaModel | None) -> types.Rdma | None:
    """What the adapters do, in SI units."""
    return types.Rdma(written.congestion, written.window, written.iwarp) if written else None
