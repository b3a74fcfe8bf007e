"""How many losses chance alone brings about, when losses come singly or in bursts.

In: how many are to be expected and how they cluster. Out: the counts beyond which chance is no explanation.
A fixed share of error would call a link of one loss in ten thousand wrong in every other run. And which of them
are losses of a part, where a packet stands for several.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import accumulate, count

from scenario.plan.types import Shape


def by_chance(expected: float, correlation: float, chance: float) -> tuple[int, int]:
    """The fewest and the most losses that are to be put down to chance: outside them a right link is
    found with a probability of at most `chance`, half of it on either side.

    `correlation` is that of a packet's loss with the next one's, 0 or more and below 1.
    """
    fewest = 0
    for losses, up_to in enumerate(accumulate(probabilities(expected, correlation))):
        if up_to <= chance / 2:
            fewest = losses + 1
        if 1 - up_to <= chance / 2:
            break
    return fewest, losses


def probabilities(expected: float, correlation: float) -> Iterator[float]:
    """Of 0, 1, 2, … losses: bursts come at random, and each goes on with the probability `correlation`.

    That is the Pólya–Aeppli distribution; without correlation, Poisson's. [Johnson, Kemp & Kotz,
    Univariate Discrete Distributions, section 9.7]
    """
    bursts = expected * (1 - correlation)
    before, now = 0.0, math.exp(-bursts)
    for losses in count():
        yield now
        more = (bursts * (1 - correlation) + 2 * correlation * losses) * now
        less = correlation**2 * max(losses - 1, 0) * before
        before, now = now, max(more - less, 0.0) / (losses + 1)


def torn_share(shape: Shape) -> float:
    """Of the packets that a port loses, those that come torn: of the packets that one stands for one is lost, but not
    the last. Bursts take all of them."""
    if shape.port is None or shape.loss_correlation or not 0 < shape.loss < 1:
        return 0.0
    alone = -math.expm1(math.log1p(-shape.loss) / shape.port.stands_for)
    return 1 - alone / shape.loss
