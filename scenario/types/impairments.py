"""What a link does to packets beside its rate and its delay: each impairment, as netem has it.

The one list of them. `Direction` (the topology's) and `Shape` (the plan's) are this and more, and the language's
keys are these fields'. One more impairment is a field here, a key in `topology/impaired.py`, and a line where the
kernel is told (`longhaul/emulation/netlink.py`).
"""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True, kw_only=True)
class Impairments:
    """Shares are of packets. `jitter_s` is the standard deviation of the delay; `loss_correlation` that of a
    packet's loss with the next one's; what is hit by `corruption` has a bit flipped, by `reorder` overtakes, by
    `duplicate` arrives twice."""

    jitter_s: float = 0.0
    loss: float = 0.0
    loss_correlation: float = 0.0
    corruption: float = 0.0
    reorder: float = 0.0
    duplicate: float = 0.0

    @property
    def impairments(self) -> dict[str, float]:
        """All of them by name, those that are zero too."""
        return {name: getattr(self, name) for name in IMPAIRMENTS}

    @property
    def impaired(self) -> bool:
        """Does it do anything to packets beside rate and delay?"""
        return any(self.impairments.values())


IMPAIRMENTS = tuple(field.name for field in fields(Impairments))


def gilbert_elliott(loss: float, correlation: float) -> tuple[float, float]:
    """(p, r), the chances to turn bad and to turn good: p = π(1−ρ) and r = (1−π)(1−ρ).

    All is lost in the bad state, nothing in the good one; ρ is the correlation of one packet's loss with the
    next one's. [Haßlinger & Hohlfeld 2008] How long bursts are is an assumption of whoever asks.
    """
    return loss * (1 - correlation), (1 - loss) * (1 - correlation)
