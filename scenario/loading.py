"""The topology and workload language: YAML text in, frozen and validated objects in SI units out.

Pure: no clock, no network. Everything wrong with the input is raised at once as `InvalidInput`. The stages: read and
include -> override -> inherit -> catalogue -> form -> meaning -> elaborate.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, TypeAlias

from scenario.text.diagnostics import Diagnostic, InvalidInput
from scenario.text.include import Document, read_document
from scenario.text.inheritance import SECTIONS, inherit
from scenario.text.merge import only, without
from scenario.text.overrides import parse_all, put, put_rest
from scenario.text.reading import read_text
from scenario.text.shape import complaints_of_part, examine, mended
from scenario.text.short import spelled_out
from scenario.text.tree import Mapping, Plain, Problems, Scalar, at, path, plain
from scenario.topology.aging import Aged, Span, aged, aging_table
from scenario.topology.catalogue import with_catalogue, with_generations
from scenario.topology.elaboration import elaborate
from scenario.topology.meaning import check_model, check_references, without_consequences
from scenario.topology.models import Reuse, TopologyModel
from scenario.types.topology import Topology, Workload
from scenario.workload.kinds import named, workload

Language: TypeAlias = Literal["topology", "workload", "study"]

__all__ = [
    "Aged",
    "Diagnostic",
    "Document",
    "InvalidInput",
    "Language",
    "Plain",
    "Span",
    "aged",
    "aging_table",
    "document_of",
    "language",
    "load_topology",
    "load_workload",
    "merged",
    "read_document",
    "topology_of",
    "workload_of",
]


def load_topology(path: Path, overrides: Sequence[str] = ()) -> Topology:
    """The topology in a file, with overrides such as `links.c1-c2.age=20y`. Raises InvalidInput."""
    return topology_of(read_document(path), overrides)


def topology_of(document: Document, overrides: Sequence[str] = ()) -> Topology:
    """The topology in a document. Raises InvalidInput."""
    root, late = put(with_generations(document.root), parse_all(overrides))
    root = named(spelled_out(with_catalogue(put_rest(inherit(root), late)), "routing", "policy"))
    problems = Problems(root)
    problems.found += complaints_of_part(only(root, *SECTIONS), Reuse)
    written, malformed = examine(without(root, *SECTIONS), TopologyModel)
    problems.found += malformed
    check_references(problems)
    if written is None and len(problems.found) == len(malformed):
        problems.found += _else_wrong(root, document.files)
    problems.found = without_consequences(problems.found)
    problems.stop()
    assert written is not None
    check_model(written, problems)
    problems.stop()
    topology = elaborate(written, problems, document.files)
    problems.stop()
    return topology


def _else_wrong(root: Mapping, files: tuple[Path, ...]) -> list[Diagnostic]:
    """What is wrong with a topology beside its form; not told of what something was left out of to find it."""
    rest = mended(without(root, *SECTIONS), TopologyModel)
    if rest is None:
        return []
    written, _ = examine(rest[0], TopologyModel)
    problems = Problems(rest[0])
    check_references(problems)
    if written is None or problems.found:
        return []
    check_model(written, problems)
    if not problems.found:
        elaborate(written, problems, files)
    touched = {path(steps[:-1]) for steps in rest[1]}
    return [one for one in problems.found if not touched & set(_above(one.path))]


def _above(where: str) -> list[str]:
    """A path and those above it, but for the document's own."""
    steps = re.split(r"(?=[.\[])", where)
    return ["".join(steps[: n + 1]) for n in range(len(steps))]


def language(path: Path) -> Language:
    """Which language a file is written in: a study and a workload say their `kind`. Raises InvalidInput."""
    kind = at(read_document(path).root, "kind")
    if isinstance(kind, Scalar) and kind.text == "study":
        return "study"
    return "workload" if kind else "topology"


def load_workload(path: Path, overrides: Sequence[str] = ()) -> Workload:
    """The workload in a file, with overrides such as `iterations=3`. Raises InvalidInput."""
    return workload_of(read_document(path), overrides)


def workload_of(document: Document, overrides: Sequence[str] = ()) -> Workload:
    """The workload in a document. Raises InvalidInput."""
    return workload(put_rest(document.root, parse_all(overrides)), document.files)


def document_of(text: str, name: str) -> Document:
    """A document that stands in no file; `name` is what its errors call it. Raises InvalidInput."""
    return Document(read_text(text, name), (Path(name),))


def merged(document: Document, overrides: Sequence[str] = ()) -> Plain:
    """A document with what it includes and the overrides in it, as plain data. Raises InvalidInput."""
    root, late = put(document.root, parse_all(overrides))
    return plain(put_rest(inherit(with_generations(root)), late) if late else root)
