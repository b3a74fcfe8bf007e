"""Iterations one after another, until they repeat.

Who ends early begins the next one early, so the first few differ. What comes then may have several lengths by turns:
each iteration hangs on how far apart the ranks ended the one before. Many take the mean over a whole turn.

Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

Ends: TypeAlias = Sequence[float]
"""Seconds at which each rank is done with an iteration."""
LEAST = 3
"""Iterations before they may be taken to repeat."""
MOST = 8
"""Iterations after which the last `TURN` have to do."""
TURN = 4
ALIKE_S = 1e-9
"""No rank's place among the others differs by more: the clock's own unit."""


def repeating(width: int, after: Callable[[Ends], Ends]) -> list[Ends]:
    """The ends of iterations that repeat in this order; the first are those of the iteration before them.

    `after` says when the ranks, of which there are `width`, are done with an iteration by when they were done before.
    """
    found: list[Ends] = [[0.0] * width]
    turn = None
    while turn is None:
        found.append(after(found[-1]))
        turn = turn_of(found)
    return found[-1 - turn :]


def turn_of(ends: Sequence[Ends]) -> int | None:
    """How many of the last iterations repeat; nothing where more must be seen. The first ends are the common start."""
    if len(ends) <= LEAST:
        return None
    *before, last = map(_apart, ends)
    for turn, other in enumerate(reversed(before), 1):
        if all(abs(mine - its) <= ALIKE_S for mine, its in zip(last, other, strict=True)):
            return turn
    return TURN if len(ends) > MOST else None


def length_s(turn: Sequence[Ends]) -> float:
    """Of an iteration, on average, by what `repeating` found."""
    return (max(turn[-1]) - max(turn[0])) / (len(turn) - 1)


def _apart(ends: Ends) -> list[float]:
    """By how much each rank is ahead of the last one."""
    last_s = max(ends)
    return [last_s - end_s for end_s in ends]
