"""Good inputs made bad, by rule: values of other types, sizes out of bounds, parts lost, doubled or exchanged.

Structured inputs (JSON, YAML) are changed as trees, so that most of what comes out still parses and reaches the
code behind the parser; all inputs are changed as bytes, too. Deterministic by seed.
"""

from __future__ import annotations

import copy
import gzip
import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

Tree = Any

NASTY: tuple[Tree, ...] = (
    None, True, False, 0, -1, 1, 2, 2**31, -(2**31), 2**53 + 1, 2**63, -(2**63), 2**64, 10**30,
    0.5, -0.0, 1e308, -1e308, 5e-324, "", " ", "0", "-1", "1" * 5000, "²", "١٢", "1e5", "nan", "inf",
    "\ud800", "\x00", "\x1b[31m", "a" * 10_000, "<script>alert(1)</script>", "[red]", "é" * 50, "../../etc/passwd",
    "[0, 1, 2]", "[" * 3000, "{" * 3000, "[0, 1, ..., 7]", "(" * 200, "'" * 3, "9" * 400, [], {}, [[]], [None],
    [-1], [0, 0], [2**31], [1.5], ["x"], [[1, 2], [3]], list(range(3000)), {"": None}, {"a": {"b": []}},
)  # fmt: skip


def places(tree: Tree) -> Iterator[tuple[Any, Any]]:
    """(container, key) of every value below the root."""
    if isinstance(tree, dict | list):
        for key, value in list(tree.items() if isinstance(tree, dict) else enumerate(tree)):
            yield tree, key
            yield from places(value)


def deep(levels: int) -> Tree:
    """A list in a list in a list, so many levels of it."""
    found: Tree = []
    for _ in range(levels):
        found = [found]
    return found


@dataclass(frozen=True)
class Spot:
    """A value of a tree: `container[key]`."""

    tree: Tree
    container: Any
    key: Any
    chance: random.Random

    def put(self) -> None:
        """Something of another type, or out of bounds."""
        self.container[self.key] = copy.deepcopy(self.chance.choice(NASTY))

    def nest(self) -> None:
        """Something deep."""
        self.container[self.key] = deep(self.chance.choice((5, 30, 120)))

    def lose(self) -> None:
        """Nothing any more."""
        del self.container[self.key]

    def double(self) -> None:
        """It, twice."""
        again = copy.deepcopy(self.container[self.key])
        if isinstance(self.container, list):
            self.container.insert(self.chance.randrange(len(self.container) + 1), again)
        else:
            self.container[self.chance.choice([*self.container, "another"])] = again

    def exchange(self) -> None:
        """It, and another value in each other's place."""
        other, there = self.chance.choice(list(places(self.tree)))
        ours, theirs = copy.deepcopy(self.container[self.key]), copy.deepcopy(other[there])
        self.container[self.key], other[there] = theirs, ours

    def scale(self) -> None:
        """A number far larger or smaller, a list far longer."""
        value = self.container[self.key]
        if isinstance(value, int | float):
            factor = self.chance.choice((-1, 0, 10**6, 10**12, 1e-9, 1e30))
            self.container[self.key] = value * factor
        elif isinstance(value, list):
            most = 20_000 * len(value) // (1 + sum(1 for _ in islice(places(value), 40_000)))
            self.container[self.key] = [copy.deepcopy(one) for one in (value * 2000)[:most]]
        else:
            self.put()


CHANGES = (
    Spot.put,
    Spot.put,
    Spot.put,
    Spot.nest,
    Spot.lose,
    Spot.double,
    Spot.exchange,
    Spot.scale,
)


def changed(tree: Tree, chance: random.Random) -> Tree:
    """The tree with one to four things done to it."""
    tree = copy.deepcopy(tree)
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        here = list(places(tree))
        if here:
            chance.choice(CHANGES)(Spot(tree, *chance.choice(here), chance))
    return tree


def damaged(data: bytes, chance: random.Random) -> bytes:
    """The bytes with one to six things done to them."""
    found = bytearray(data)
    for _ in range(chance.randrange(1, 7)):
        at = chance.randrange(len(found) + 1)
        how = chance.randrange(5)
        if how == 0:
            del found[at : at + chance.randrange(1, 40)]
        elif how == 1:
            found[at:at] = chance.randbytes(chance.randrange(1, 9))
        elif how == 2 and found:
            found[at % len(found)] ^= 1 << chance.randrange(8)
        elif how == 3:
            found[at:at] = found[at : at + chance.randrange(1, 200)] * chance.choice((1, 2, 50))
        else:
            found = found[:at]
    return bytes(found)


def as_json(tree: Tree) -> bytes:
    """The tree as JSON; half pairs of surrogates stay as they are escaped."""
    return json.dumps(tree).encode()


def packed(data: bytes, chance: random.Random) -> bytes:
    """Sometimes gzipped, sometimes with much of nothing behind it."""
    how = chance.randrange(12)
    if how == 0:
        return gzip.compress(data)
    if how == 1:
        return gzip.compress(data + b" " * 3_000_000)
    return data


def more(value: Any, chance: random.Random) -> Any:
    """A number, or what a text begins with, times something; else as it is."""
    factor = chance.choice((0, 1e-6, 1e-3, 0.1, 0.5, 2, 10, 1000, 1e6))
    if isinstance(value, int | float) and not isinstance(value, bool):
        return type(value)(value * factor)
    if isinstance(value, str) and (found := re.fullmatch(r"([0-9.]+)(\D*)", value)):
        return f"{float(found[1]) * factor:.6g}{found[2]}"
    return value
