"""`--set links.c1-c2.age=20y`: values of the command line, put into the document's tree.

Their places are in the override's own text, so that a complaint about one points at it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from .diagnostics import Diagnostic, InvalidInput, Place, Source, complain
from .merge import with_entry
from .reading import read_node
from .tree import Entry, Listing, Mapping, Node, Steps, child, path

_FORM = re.compile(r"(?P<path>[^=]+?)=(?P<value>.*)", re.DOTALL)
_STEP = re.compile(r"\.?(?P<key>[A-Za-z0-9-]+)|\[(?P<index>\d{1,6})\]")
_EXPECTED = "PATH=VALUE, such as links.c1-c2.age=20y or campuses.c1.hosts[0].count=8"


@dataclass(frozen=True)
class Override:
    """One `--set`: where it goes, the place of its path, and its value as a tree."""

    steps: Steps
    place: Place
    node: Node


def parse(text: str) -> Override:
    """The override that `text` spells. Raises InvalidInput."""
    source = Source("--set", tuple(text.splitlines()) or ("",))
    form = _FORM.fullmatch(text)
    if form is None or len(source.lines) > 1:
        raise InvalidInput([complain(Place(source), "not an override", expected=_EXPECTED)])
    place = Place(source, 1, 1, len(form["path"]))
    node = read_node(" " * form.start("value") + form["value"], source)
    return Override(_steps(form["path"], place), place, node)


def apply(root: Mapping, overrides: Sequence[str]) -> Mapping:
    """The document with all overrides in it, the last one winning. Raises InvalidInput."""
    problems: list[Diagnostic] = []
    for text in overrides:
        try:
            override = parse(text)
            replaced = _put(root, override, 0)
            root = replaced if isinstance(replaced, Mapping) else root
        except InvalidInput as error:
            problems += error.diagnostics
    if problems:
        raise InvalidInput(problems)
    return root


def _steps(text: str, place: Place) -> Steps:
    steps: list[str | int] = []
    position = 0
    while position < len(text):
        step = _STEP.match(text, position)
        if step is None:
            at = Place(place.source, 1, position + 1)
            raise InvalidInput([complain(at, "not a path in a document", expected=_EXPECTED)])
        steps.append(step["key"] if step["key"] is not None else int(step["index"]))
        position = step.end()
    return tuple(steps)


def _put(node: Node | None, override: Override, depth: int) -> Node:
    """`node` with the override's value at what is left of its path."""
    if depth == len(override.steps):
        return override.node
    step = override.steps[depth]
    if isinstance(node, Listing):
        return _put_in_list(node, override, depth)
    if node is None and isinstance(step, str):
        node = Mapping(override.place)
    if not isinstance(node, Mapping):
        raise _nowhere(override, depth, "this is not a mapping, so nothing can be set inside it")
    below = _put(child(node, step), override, depth + 1)
    return with_entry(node, str(step), Entry(override.place, below))


def _put_in_list(node: Listing, override: Override, depth: int) -> Node:
    step = str(override.steps[depth])
    if not step.isdecimal() or int(step) >= len(node.items):
        raise _nowhere(override, depth, f"this list has entries 0 to {len(node.items) - 1}")
    index = int(step)
    below = _put(node.items[index], override, depth + 1)
    return Listing(node.place, (*node.items[:index], below, *node.items[index + 1 :]))


def _nowhere(override: Override, depth: int, message: str) -> InvalidInput:
    return InvalidInput([complain(override.place, message, path=path(override.steps[:depth]))])
