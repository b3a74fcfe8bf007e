"""Replays a graph of operations with other durations: what would have happened, had things taken so long.

In: operations, which of them wait for which, and which communicate together. Out: when each ends. An operation
starts when all that it waits for has ended; those of one group (a collective, a send and its receive) transfer once
the last of them has started, each for its own duration [Lin et al., OSDI'25, section 3]. Nothing else takes time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from scenario.errors import WrongInput

Column = npt.NDArray[Any]
Seconds = npt.NDArray[np.float64]


class CircularGraph(WrongInput, ValueError):
    """Operations wait for each other."""


@dataclass(frozen=True)
class Level:
    """Operations that can be worked out at once: all that they wait for is in earlier levels.

    `sources[i]` must have ended before `targets[i]` starts. `places` numbers the groups of
    `operations` from 0.
    """

    operations: Column
    sources: Column
    targets: Column
    places: Column


@dataclass(frozen=True)
class OperationGraph:
    """Operations 0 to n − 1. `group[i]`: those of equal group transfer together. `before[j]` must have
    ended before `after[j]` starts."""

    group: Column
    before: Column
    after: Column

    def ends(self, durations: Seconds) -> Seconds:
        """When each operation ends, if it takes so long; what waits for nothing starts at 0."""
        started = np.zeros(len(self.group))
        ended = np.zeros(len(self.group))
        for level in self.levels:
            np.maximum.at(started, level.targets, ended[level.sources])
            together = np.zeros(int(level.places.max()) + 1)
            np.maximum.at(together, level.places, started[level.operations])
            ended[level.operations] = together[level.places] + durations[level.operations]
        return ended

    @cached_property
    def levels(self) -> tuple[Level, ...]:
        """The operations in an order in which they can be worked out. Raises CircularGraph."""
        return tuple(self._levels())

    def _levels(self) -> Iterator[Level]:
        """Kahn's algorithm over groups, a whole frontier at a time."""
        groups, member_of = np.unique(self.group, return_inverse=True)
        left = np.bincount(member_of[self.after], minlength=len(groups))
        out = _Grouped(member_of[self.before], len(groups))
        into = _Grouped(member_of[self.after], len(groups))
        members = _Grouped(member_of, len(groups))
        frontier, done = np.flatnonzero(left == 0), 0
        while len(frontier):
            operations, edges = members.of(frontier), into.of(frontier)
            places = np.searchsorted(frontier, member_of[operations])
            yield Level(operations, self.before[edges], self.after[edges], places)
            done += len(frontier)
            reached = member_of[self.after[out.of(frontier)]]
            np.subtract.at(left, reached, 1)
            reached = np.unique(reached)
            frontier = reached[left[reached] == 0]
        if done < len(groups):
            raise CircularGraph(f"{len(groups) - done} groups of operations wait for each other")


class _Grouped:
    """Numbers 0 to n − 1 by the key of each: all with any of some keys, at once."""

    def __init__(self, keys: Column, count: int) -> None:
        self.order = np.argsort(keys, kind="stable")
        self.edges = np.searchsorted(keys[self.order], np.arange(count + 1))

    def of(self, keys: Column) -> Column:
        first, lengths = self.edges[keys], np.diff(self.edges)[keys]
        offsets = np.repeat(first - np.concatenate([[0], np.cumsum(lengths)[:-1]]), lengths)
        found: Column = self.order[offsets + np.arange(lengths.sum())]
        return found
