"""A document as a tree that remembers where every value was written.

Reading makes it, includes, templates and overrides combine it, checking reads it as plain data and
asks it for the place of whatever turned out to be wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

from scenario.text.diagnostics import FEW, Diagnostic, InvalidInput, Place, clip, complain

Value: TypeAlias = str | int | float | bool | None
Plain: TypeAlias = "Value | list[Plain] | dict[str, Plain]"
Steps: TypeAlias = tuple[str | int, ...]


@dataclass(frozen=True)
class Scalar:
    """A single value and its spelling, less the quotes if it was `quoted`."""

    place: Place
    text: str
    value: Value
    quoted: bool = False


@dataclass(frozen=True)
class Listing:
    """A list."""

    place: Place
    items: tuple[Node, ...] = ()


@dataclass(frozen=True)
class Entry:
    """A key's place, and what stands under the key."""

    place: Place
    node: Node


@dataclass(frozen=True)
class Mapping:
    """Keys and values, in the order of the text."""

    place: Place
    entries: dict[str, Entry] = field(default_factory=dict)


Node: TypeAlias = Scalar | Listing | Mapping


def plain(node: Node) -> Plain:
    """The tree's values without their places."""
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Listing):
        return [plain(item) for item in node.items]
    return {key: plain(entry.node) for key, entry in node.entries.items()}


def entries(node: Node | None) -> dict[str, Entry]:
    """A mapping's entries; of anything else none."""
    return node.entries if isinstance(node, Mapping) else {}


def size(node: Node, known: dict[int, int]) -> int:
    """How many values there are below, and with it; `known` are those of parts that were counted before."""
    if isinstance(node, Scalar):
        return 1
    if id(node) not in known:
        below = node.items if isinstance(node, Listing) else (e.node for e in node.entries.values())
        known[id(node)] = 1 + sum(size(one, known) for one in below)
    return known[id(node)]


def child(node: Node | None, step: str | int) -> Node | None:
    """What stands one step down, or None."""
    if isinstance(node, Mapping):
        entry = node.entries.get(str(step))
        return entry.node if entry else None
    if isinstance(node, Listing) and isinstance(step, int) and 0 <= step < len(node.items):
        return node.items[step]
    return None


def at(node: Node | None, *steps: str | int) -> Node | None:
    """What stands at the end of `steps`, or None."""
    for step in steps:
        node = child(node, step)
    return node


def without_node(root: Mapping, steps: Steps) -> Mapping:
    """The tree less what stands at `steps`, if anything does."""
    less = _less(root, steps)
    return less if isinstance(less, Mapping) else root


def _less(node: Node | None, steps: Steps) -> Node | None:
    if not steps:
        return None
    if isinstance(node, Listing):
        items = [_less(x, steps[1:]) if i == steps[0] else x for i, x in enumerate(node.items)]
        return Listing(node.place, tuple(item for item in items if item is not None))
    if not isinstance(node, Mapping):
        return node
    found: dict[str, Entry] = {}
    for key, entry in node.entries.items():
        below = _less(entry.node, steps[1:]) if key == str(steps[0]) else entry.node
        if below is not None:
            found[key] = Entry(entry.place, below)
    return Mapping(node.place, found)


def texts(node: Node | None) -> list[str]:
    """The keys of a mapping, the texts of a list of scalars; else nothing."""
    if isinstance(node, Mapping):
        return list(node.entries)
    if isinstance(node, Listing):
        return [item.text for item in node.items if isinstance(item, Scalar)]
    return []


def spelling(node: Node | None) -> str:
    """How a value was written, for a person."""
    if isinstance(node, Scalar):
        return _scalar_spelling(node)
    if isinstance(node, Listing):
        return f"a list of {len(node.items)}" if node.items else "an empty list"
    if isinstance(node, Mapping):
        if len(node.entries) > FEW:
            return f"a mapping of {len(node.entries):,} keys"
        keys = ", ".join(node.entries)
        return clip(f"a mapping with {keys}" if keys else "an empty mapping")
    return ""


def _scalar_spelling(node: Scalar) -> str:
    if node.quoted:
        return f'"{clip(node.text)}"'
    return clip(node.text) or "nothing"


def path(steps: Iterable[str | int]) -> str:
    """Steps as people write them: `campuses.c1.hosts[0].count`."""
    written = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
    return clip(written.removeprefix("."), 160)


def place_of(root: Node, steps: Steps) -> Place:
    """Where the value at `steps` was written; where there is none, its mapping's key."""
    node, place = root, root.place
    for step in steps:
        if isinstance(node, Mapping):
            place = node.entries[str(step)].place if str(step) in node.entries else place
        below = child(node, step)
        if below is None:
            return place
        node = below
        place = node.place if isinstance(node, Scalar) or isinstance(step, int) else place
    return place


def key_place(root: Node, steps: Steps) -> Place:
    """Where the last key of `steps` was written."""
    above = at(root, *steps[:-1])
    if isinstance(above, Mapping) and str(steps[-1]) in above.entries:
        return above.entries[str(steps[-1])].place
    return place_of(root, steps)


Hint: TypeAlias = "str | Callable[[], str]"
"""What to say beside a complaint, or how to find out: only of those that are told."""
MOST_HINTED = 300


@dataclass
class Problems:
    """Collects complaints about one document, so that all are told at once.

    What is wrong in one place of a file is told once, however often templates repeat it.
    """

    root: Node
    found: list[Diagnostic] = field(default_factory=list)
    told: set[tuple[str, int, int, str]] = field(default_factory=set)

    def stop(self) -> None:
        """Raises InvalidInput if there is anything to complain about."""
        if self.found:
            raise InvalidInput(self.found)

    def add(self, steps: Steps, message: str, expected: Hint = "", hint: Hint = "") -> None:
        """Complain about the value at `steps`."""
        where = place_of(self.root, steps)
        if self._new(where, message):
            self._tell(where, message, steps, spelling(at(self.root, *steps)), (expected, hint))

    def add_key(self, steps: Steps, message: str, expected: Hint = "", hint: Hint = "") -> None:
        """Complain about the key that `steps` ends with."""
        where = key_place(self.root, steps)
        if self._new(where, message):
            self._tell(where, message, steps, str(steps[-1]), (expected, hint))

    def _new(self, where: Place, message: str) -> bool:
        key = (where.source.name, where.line, where.column, message)
        if key in self.told:
            return False
        self.told.add(key)
        return True

    def _tell(
        self, where: Place, message: str, steps: Steps, value: str, more: tuple[Hint, Hint]
    ) -> None:
        expected, hint = ("", "") if len(self.found) >= MOST_HINTED else map(_said, more)
        self.found.append(
            complain(where, message, path=path(steps), found=value, expected=expected, hint=hint)
        )


def _said(hint: Hint) -> str:
    return hint if isinstance(hint, str) else hint()
