"""Payloads as the fabric carries them: scaled as the plan's rates are. Pure."""

from __future__ import annotations

from scenario.plan.types import Plan
from traffic.schedule import ELEMENT_BYTES


def carried_bytes(real_bytes: float, plan: Plan, ranks: int = 1) -> int:
    """Bytes as the fabric carries them: scaled, in whole elements, at least one for each of some ranks."""
    return ELEMENT_BYTES * max(round(real_bytes / plan.scale_bytes / ELEMENT_BYTES), ranks)
