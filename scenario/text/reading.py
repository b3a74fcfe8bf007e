"""YAML text to a tree with places: a small, safe part of YAML, with errors that help.

No aliases, no tags, no `no` that means false, no duplicate keys, bounded in size, depth and count.
The parser's events are read one at a time, so that a bomb is met before it has gone off.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import yaml

from scenario.text import characters
from scenario.text.diagnostics import (
    Diagnostic,
    InvalidInput,
    Place,
    Source,
    clip,
    complain,
    nearest_file,
)
from scenario.text.tree import Entry, Listing, Mapping, Node, Scalar, Value

MOST_BYTES = 1_000_000
MOST_NODES = 20_000
MOST_DEPTH = 16

# YAML 1.1 reads these as booleans and YAML 1.2 as text, so a file with one means two things.
_TRAPS = re.compile(r"(?i:yes|no|on|off)")
_INTEGER = re.compile(r"[+-]?(0|[1-9][0-9]{0,17})")
_FLOAT = re.compile(r"[+-]?(?:[0-9]{1,18}(?:\.[0-9]{0,30})?|\.[0-9]{1,30})(?:[eE][+-]?[0-9]{1,2})?")
_CONSTANTS: dict[str, Value] = {"": None, "~": None, "null": None, "true": True, "false": False}

# Part of the parser's message -> ours, and how to mend it.
_SYNTAX = (
    ("'\\t'", "a tab in the indentation", "use spaces: YAML allows no tabs"),
    ("mapping values", "a second `:` on the line", "put text that holds `: ` in quotes"),
    ("while scanning an alias", "a `*` that is not in quotes", 'put a pattern in quotes: "*"'),
    ("cannot start any token", "no value begins with this character", "put text in quotes"),
    ("stream end", "what begins here is never closed", "a bracket or brace is missing"),
    ("end of stream", "the quoted text that begins here never ends", "a quote is missing"),
    ("<block end>", "this does not line up with the lines above", "check the indentation"),
)


def read_file(path: Path) -> Mapping:
    """The document in a file. Raises InvalidInput: unreadable, not UTF-8, too large, not YAML."""
    return read_text(_text_of(path), str(path))


def read_text(text: str, name: str) -> Mapping:
    """The document in `text`, a mapping. Raises InvalidInput with everything wrong in it."""
    source = Source(name, tuple(text.splitlines()))
    root = read_node(text, source)
    if isinstance(root, Mapping):
        return root
    problem = complain(root.place, "the document is not a mapping", expected="`key: value` lines")
    raise InvalidInput([problem])


def read_node(text: str, source: Source) -> Node:
    """The one YAML value in `text`; places refer to `source`. Raises InvalidInput."""
    if turning := list(characters.turning(source, text)):
        raise InvalidInput(turning)
    reader = _Reader(source)
    try:
        return reader.document(yaml.parse(text, Loader=yaml.SafeLoader))
    except yaml.MarkedYAMLError as error:
        raise InvalidInput([*reader.problems, _syntax(error, source, reader.last)]) from None
    except yaml.reader.ReaderError as error:
        raise InvalidInput([_bad_character(text, error, source)]) from None
    except (ValueError, OverflowError):
        # The scanner turns escapes such as "\UFFFFFFFF" into characters without looking.
        message = "after this, an escape that stands for no character"
        raise InvalidInput([*reader.problems, complain(reader.last, message)]) from None


def _text_of(path: Path) -> str:
    try:
        if path.exists() and not path.is_file():
            raise InvalidInput([_unreadable(path, "this is not a file")])
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise InvalidInput([_missing(path)]) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InvalidInput([_unreadable(path, f"cannot be read: {reason}")]) from None
    if len(content) > MOST_BYTES:
        raise InvalidInput([_unreadable(path, f"larger than {MOST_BYTES:,} bytes")])
    return _decoded(content, path)


def _decoded(content: bytes, path: Path) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8", "replace")
        source = Source(str(path), tuple(content.decode("utf-8", "replace").splitlines()))
        column = len(before) - (before.rfind("\n") + 1) + 1
        place = Place(source, before.count("\n") + 1, column)
        found = f"the byte 0x{content[error.start]:02x}"
        raise InvalidInput(
            [complain(place, "the file is not UTF-8", found=found, expected="UTF-8")]
        ) from None


def _unreadable(path: Path, message: str) -> Diagnostic:
    return complain(Place(Source(clip(str(path), 200))), message)


def _missing(path: Path) -> Diagnostic:
    place = Place(Source(clip(str(path), 200)))
    return complain(place, "no such file", hint=nearest_file(path))


def _syntax(error: yaml.MarkedYAMLError, source: Source, last: Place) -> Diagnostic:
    """The parser's complaint in our words. `last` is where the last thing it understood is."""
    problem = error.problem or "this is not YAML"
    place = _marked(source, error.problem_mark) or last
    if "stream end" in problem or "end of stream" in problem:
        opened = _marked(source, error.context_mark)
        place = last if opened is None or opened == place else opened
    uncolonned = _without_colon(error, source)
    if uncolonned:
        return uncolonned
    said = f"{problem} {error.context}" if error.context else problem
    for part, message, hint in _SYNTAX:
        if part in said:
            return complain(place, message, hint=hint)
    return complain(place, f"this is not YAML: {clip(said, 120)}")


# A key and what may be its value: `name demo`, `name:demo`, `c1 {hosts: 4}`.
_NO_SPACE = re.compile(r"\s*(?:- )?(?P<key>[A-Za-z][\w-]*):(?P<value>[^\s:/].*)")
_NO_COLON = re.compile(r"\s*(?:- )?(?P<key>[A-Za-z][\w-]*) +(?P<value>[\[{].*|[^\s:]+)")


def _without_colon(error: yaml.MarkedYAMLError, source: Source) -> Diagnostic | None:
    """What is wrong where the parser saw no colon, or took it for part of a text: told of the line that lacks it."""
    marks = [mark for mark in (error.context_mark, error.problem_mark) if mark]
    for number in dict.fromkeys(mark.line for mark in marks):
        line = source.lines[number] if number < len(source.lines) else ""
        for pattern, message in (
            (_NO_SPACE, "no space after the colon"),
            (_NO_COLON, "no colon after the key"),
        ):
            if found := pattern.fullmatch(line):
                place = Place(source, number + 1, found.start("value") + 1)
                hint = clip(f"{found['key']}: {found['value']}")
                return complain(
                    place, message, expected="`key: value`", hint=f"did you mean {hint}?"
                )
    return None


def _marked(source: Source, mark: yaml.error.Mark | None) -> Place | None:
    return Place(source, mark.line + 1, mark.column + 1) if mark else None


def _bad_character(text: str, error: yaml.reader.ReaderError, source: Source) -> Diagnostic:
    before = text[: error.position]
    column = len(before) - (before.rfind("\n") + 1) + 1
    place = Place(source, before.count("\n") + 1, column)
    message = "a character that YAML does not allow"
    return complain(place, message, found=characters.code(chr(error.character)))


class _Reader:
    """Builds the tree from parse events, collecting what the language does not allow."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.problems: list[Diagnostic] = []
        self.nodes = 0
        self.last = Place(source)

    def document(self, events: Iterator[yaml.Event]) -> Node:
        root: Node | None = None
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent) and root is not None:
                self._complain(event, "a second document", expected="one document per file")
                break
            if isinstance(event, yaml.NodeEvent):
                root = self._node(event, events, 0)
        if self.problems:
            raise InvalidInput(self.problems)
        return root or Scalar(Place(self.source), "", None)

    def _node(self, event: yaml.Event, events: Iterator[yaml.Event], depth: int) -> Node:
        self._bound(event, depth)
        self._plainness(event)
        place = self._place(event)
        if isinstance(event, yaml.MappingStartEvent):
            return Mapping(place, self._entries(events, depth))
        if isinstance(event, yaml.SequenceStartEvent):
            return Listing(place, tuple(self._items(events, depth)))
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event, place)
        return Scalar(place, "", None)

    def _entries(self, events: Iterator[yaml.Event], depth: int) -> dict[str, Entry]:
        entries: dict[str, Entry] = {}
        for event in events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            key = self._node(event, events, depth + 1)
            node = self._node(next(events), events, depth + 1)
            self._enter(entries, key, node)
        return entries

    def _enter(self, entries: dict[str, Entry], key: Node, node: Node) -> None:
        if not isinstance(key, Scalar) or not key.text:
            self.problems.append(complain(key.place, "this cannot be a key", expected="a name"))
        elif key.text in entries:
            first = entries[key.text].place
            message = f"the key `{clip(key.text, 40)}` is here twice"
            hint = f"the first is on line {first.line}"
            self.problems.append(complain(key.place, message, hint=hint))
        else:
            entries[key.text] = Entry(key.place, node)

    def _items(self, events: Iterator[yaml.Event], depth: int) -> Iterator[Node]:
        for event in events:
            if isinstance(event, yaml.SequenceEndEvent):
                return
            yield self._node(event, events, depth + 1)

    def _scalar(self, event: yaml.ScalarEvent, place: Place) -> Scalar:
        text = event.value
        self.problems += characters.wrong(text, place)
        if event.style is not None:
            return Scalar(place, text, text, quoted=True)
        if _TRAPS.fullmatch(text):
            message = f"`{text}` is a boolean to some YAML readers and a text to others"
            expected = "true or false, or the text in quotes"
            self.problems.append(complain(place, message, found=text, expected=expected))
        return Scalar(place, text, _resolved(text))

    def _plainness(self, event: yaml.Event) -> None:
        if isinstance(event, yaml.AliasEvent):
            hint = "write it out, or use `templates` and `defaults`; put a pattern in quotes"
            self._complain(event, "aliases (`*name`) are not part of the language", hint=hint)
        elif getattr(event, "anchor", None):
            self._complain(event, "anchors (`&name`) are not part of the language")
        elif getattr(event, "tag", None):
            self._complain(event, "tags (`!name`) are not part of the language")

    def _bound(self, event: yaml.Event, depth: int) -> None:
        self.nodes += 1
        if depth > MOST_DEPTH:
            self._complain(event, f"nested deeper than {MOST_DEPTH} levels")
            raise InvalidInput(self.problems)
        if self.nodes > MOST_NODES:
            self._complain(event, f"more than {MOST_NODES:,} values in one file")
            raise InvalidInput(self.problems)

    def _complain(
        self, event: yaml.Event, message: str, expected: str = "", hint: str = ""
    ) -> None:
        self.problems.append(complain(self._place(event), message, expected=expected, hint=hint))

    def _place(self, event: yaml.Event) -> Place:
        start, end = event.start_mark, event.end_mark
        assert start is not None  # the parser marks every event
        assert end is not None
        length = end.column - start.column if end.line == start.line else 1
        self.last = Place(self.source, start.line + 1, start.column + 1, max(1, length))
        return self.last


def _resolved(text: str) -> Value:
    """A plain scalar's value by YAML 1.2's core rules, less octal, hex, infinities and nan."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text
