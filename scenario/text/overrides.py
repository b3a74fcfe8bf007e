"""`--set links.c1-c2.age=20y`: values of the command line, put into the document's tree.

Their places are in the override's own text, so that a complaint about one points at it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from scenario.text.diagnostics import Collected, InvalidInput, Place, Source, complain
from scenario.text.digits import is_whole
from scenario.text.merge import with_entry
from scenario.text.reading import read_node
from scenario.text.tree import Entry, Listing, Mapping, Node, Steps, child, path

_FORM = re.compile(r"(?P<path>[^=]+?)=(?P<value>.*)", re.DOTALL)
_STEP = re.compile(r"\.?(?P<key>[A-Za-z0-9-]+)|\[(?P<index>\d{1,6})\]")
EXPECTED = "PATH=VALUE, such as links.c1-c2.age=20y or campuses.c1.hosts[0].count=8"


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
        raise InvalidInput([complain(Place(source), "not an override", expected=EXPECTED)])
    place = Place(source, 1, 1, len(form["path"]))
    if form["path"].lstrip(".") == "include":
        raise InvalidInput([complain(place, "`include` can only be written in a file")])
    node = read_node(" " * form.start("value") + form["value"], source)
    return Override(_steps(form["path"], place), place, node)


def parse_all(texts: Sequence[str]) -> tuple[Override, ...]:
    """Each text as an override. Raises InvalidInput with all that are wrong."""
    parsed, problems = [], Collected()
    for text in texts:
        with problems:
            parsed.append(parse(text))
    problems.stop()
    return tuple(parsed)


def put(root: Mapping, overrides: Sequence[Override]) -> tuple[Mapping, tuple[Override, ...]]:
    """The document with the overrides in it, the last one winning. Raises InvalidInput.

    Those that reach into a list which is not there come back: a template may bring it.
    """
    early = [o for o in overrides if not _waits(root, o)]
    return _put_all(root, early), tuple(o for o in overrides if o not in early)


def put_rest(root: Mapping, overrides: Sequence[Override]) -> Mapping:
    """As `put`, when nothing more will be brought. Raises InvalidInput."""
    return _put_all(root, overrides)


def _put_all(root: Mapping, overrides: Sequence[Override]) -> Mapping:
    problems = Collected()
    for override in overrides:
        with problems:
            replaced = _put(root, override, 0)
            assert isinstance(replaced, Mapping)  # a path has at least one step
            root = replaced
    problems.stop()
    return root


def _waits(root: Mapping, override: Override) -> bool:
    """Whether the path goes by number into something that is not there yet."""
    node: Node | None = root
    for step in override.steps:
        if node is None:
            return is_whole(str(step))
        number = isinstance(node, Listing) and is_whole(str(step))
        node = child(node, int(step) if number else step)
    return False


def _steps(text: str, place: Place) -> Steps:
    steps: list[str | int] = []
    position = 0
    while position < len(text):
        step = _STEP.match(text, position)
        if step is None:
            at = Place(place.source, 1, position + 1)
            raise InvalidInput([complain(at, "not a path in a document", expected=EXPECTED)])
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
    if isinstance(step, int):
        raise _nowhere(override, depth, "there is no list here to count in")
    node = node if node is not None else Mapping(override.place)
    if not isinstance(node, Mapping):
        raise _nowhere(override, depth, "this is not a mapping, so nothing can be set inside it")
    _not_misspelled(node, override, depth)
    below = _put(child(node, step), override, depth + 1)
    return with_entry(node, step, Entry(override.place, below))


def _not_misspelled(node: Mapping, override: Override, depth: int) -> None:
    """Complains of a name that is there in other letters: `links.C1-C2` would be a second link."""
    step = str(override.steps[depth])
    alike = [key for key in node.entries if _letters(key) == _letters(step)]
    if alike and step not in node.entries:
        *above, _ = override.steps[: depth + 1]
        hint = f"did you mean {path((*above, alike[0], *override.steps[depth + 1 :]))}?"
        where = path(override.steps[: depth + 1])
        raise InvalidInput(
            [complain(override.place, "nothing has this name", path=where, hint=hint)]
        )


def _letters(name: str) -> str:
    return name.lower().replace("_", "-")


def _put_in_list(node: Listing, override: Override, depth: int) -> Node:
    step = str(override.steps[depth])
    if not is_whole(step) or int(step) >= len(node.items):
        entries = f"has entries 0 to {len(node.items) - 1}" if node.items else "is empty"
        raise _nowhere(override, depth, f"this list {entries}")
    index = int(step)
    below = _put(node.items[index], override, depth + 1)
    return Listing(node.place, (*node.items[:index], below, *node.items[index + 1 :]))


def _nowhere(override: Override, depth: int, message: str) -> InvalidInput:
    return InvalidInput([complain(override.place, message, path=path(override.steps[:depth]))])
