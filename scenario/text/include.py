"""`include`: a file that starts from others and says only what differs.

Included files come first, in order, each once; the file itself comes last and wins. They lie in the
folder of the file that was asked for, or below it, so that a topology can be moved as a folder.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import reduce
from pathlib import Path

from scenario.text.diagnostics import Diagnostic, InvalidInput, complain, nearest_file
from scenario.text.merge import merge_mappings, without
from scenario.text.reading import read_file
from scenario.text.tree import Listing, Mapping, Node, Scalar, at, spelling

MOST_FILES = 50


@dataclass(frozen=True)
class Document:
    """A document with its includes merged, and the files it was read from, the asked one last."""

    root: Mapping
    files: tuple[Path, ...]


@dataclass
class _Gathering:
    """What has been read so far, in the order of merging."""

    folder: Path
    parts: dict[Path, tuple[Path, Mapping]] = field(default_factory=dict)
    problems: list[Diagnostic] = field(default_factory=list)


def read_document(path: Path) -> Document:
    """The file with all that it includes. Raises InvalidInput."""
    gathering = _Gathering(_resolved(path.parent))
    _gather(path, (), gathering)
    if gathering.problems:
        raise InvalidInput(gathering.problems)
    roots = [root for _, root in gathering.parts.values()]
    files = tuple(file for file, _ in gathering.parts.values())
    return Document(reduce(merge_mappings, roots), files)


def _gather(path: Path, trail: tuple[Path, ...], gathering: _Gathering) -> None:
    """Reads a file and, before it, what it includes. `trail` are the files that led here."""
    real = _resolved(path)
    try:
        root = read_file(path)
    except InvalidInput as error:
        gathering.problems += error.diagnostics
        return
    for node in _named(root, gathering):
        target = _target(node, path, (*trail, real), gathering)
        if target is not None and target.resolve() not in gathering.parts:
            _gather(target, (*trail, real), gathering)
    gathering.parts[real] = (path, without(root, "include"))


def _resolved(path: Path) -> Path:
    """Where a path leads to; itself, where links go round in a circle, or it is no path: reading it tells."""
    try:
        return path.resolve()
    except (OSError, ValueError, RuntimeError):
        return path.absolute()


def _named(root: Mapping, gathering: _Gathering) -> list[Scalar]:
    """The values of `include`: one text, or a list of texts."""
    node = at(root, "include")
    nodes: tuple[Node, ...] = node.items if isinstance(node, Listing) else (node,) if node else ()
    texts = []
    for one in nodes:
        if isinstance(one, Scalar) and isinstance(one.value, str):
            texts.append(one)
        else:
            _complain(one, "not the name of a file", gathering)
    return texts


def _target(
    node: Scalar, path: Path, trail: tuple[Path, ...], gathering: _Gathering
) -> Path | None:
    """The file that `node` names, or None with a complaint."""
    target = path.parent / node.text
    try:
        real = target.resolve()
        there, dangles = real.exists(), target.is_symlink()
    except (OSError, ValueError, RuntimeError):  # a name too long, a circle of links
        real, there, dangles = gathering.folder, False, False
    if not real.is_relative_to(gathering.folder):
        hint = f"included files lie in {gathering.folder.name}/ or below"
        _complain(node, "a file outside the folder of the topology", gathering, hint)
    elif not there:
        message = "a link to a file that is not there" if dangles else "no such file to include"
        _complain(node, message, gathering, nearest_file(target))
    elif not real.is_file():
        _complain(
            node,
            "this is not a file",
            gathering,
            "a folder's files are named one by one" * real.is_dir(),
        )
    elif real in trail:
        _complain(node, "a file that includes itself", gathering)
    elif len(gathering.parts) + len(trail) >= MOST_FILES:
        _complain(node, f"more than {MOST_FILES} files", gathering)
    else:
        return target
    return None


def _complain(node: Node, message: str, gathering: _Gathering, hint: str = "") -> None:
    found = spelling(node)
    gathering.problems.append(complain(node.place, message, path="include", found=found, hint=hint))
