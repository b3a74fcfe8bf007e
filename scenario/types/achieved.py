"""What an accelerator achieves in training, by precision and size of the model: published points, and between them.

By one definition everywhere: 6·N FLOP per token [Kaplan et al. 2020], N the parameters that a token meets, attention
left out. Shares of the peak that count attention are converted before they come here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

FLOP_PER_PARAMETER = 6
USUAL_PARAMETERS = 70e9
"""The size of model that a speed is given for where nobody says which."""


@dataclass(frozen=True)
class Achieved:
    """FLOP/s in training models of so many parameters, in a precision."""

    precision: str
    parameters: float
    flops: float


def achieved_flops(
    points: Sequence[Achieved], precision: str = "bf16", parameters: float = USUAL_PARAMETERS
) -> float:
    """FLOP/s at a size: linear in the logarithm of the parameters, the nearest point's beyond both ends.

    A precision that no point has is computed as fast as bf16. Raises ValueError without points.
    """
    own = [point for point in points if point.precision == precision] or [
        point for point in points if point.precision == "bf16"
    ]
    if not own:
        raise ValueError("no point says what the accelerator achieves")
    ordered = sorted(own, key=lambda point: point.parameters)
    below = [point for point in ordered if point.parameters <= parameters] or ordered[:1]
    above = [point for point in ordered if point.parameters >= parameters] or ordered[-1:]
    low, high = below[-1], above[0]
    if low.parameters >= high.parameters:
        return low.flops
    share = math.log(parameters / low.parameters) / math.log(high.parameters / low.parameters)
    return low.flops + share * (high.flops - low.flops)


def times(points: Sequence[Achieved], factor: float) -> tuple[Achieved, ...]:
    """The same for so many accelerators together."""
    return tuple(Achieved(p.precision, p.parameters, p.flops * factor) for p in points)
