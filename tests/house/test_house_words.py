"""One word, one idea: a class name stands for one thing, and a name of a module that anybody mentions is one.

The glossary is in docs/architecture.md.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = ("scenario", "longhaul", "controller", "traffic", "analysis", "bench")
SAME = {
    "Run": "a finished run: its tables for the findings, and the API's view of it",
    "Topology": "what a file asks for: elaborated, and the API's document",
    "Study": "what a file asks for: elaborated, and the API's view of it",
    "Workload": "what a file asks for: elaborated, and the API's document",
    "Host": "a machine of a campus: elaborated, and the API's view of one that runs",
    "Transport": "what carries messages: as a workload asks for it, and at work in a host",
    "Proportion": "how communication compares with compute, as planned and as reported",
}
"""Names that two rooms give to the same thing."""
APART = {
    "Collective": "as asked for; under way in a host; its times",
    "Message": "of a schedule; in the model; of a trace",
    "Replay": "of a rank; how often",
    "Request": "for a run; for tokens",
    "Work": "of a timer; of a trace",
}
"""Names that still stand for different things: no more of them."""


def modules() -> Iterator[tuple[str, Path]]:
    """Every module of ours, by its dotted name."""
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            yield name.removesuffix(".__init__"), path


def classes() -> dict[str, list[str]]:
    """The modules that define each public class, by its name."""
    found = defaultdict(list)
    for name, path in modules():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                found[node.name].append(name)
    return found


def test_no_class_name_stands_for_two_things() -> None:
    twice = {name: where for name, where in classes().items() if len(where) > 1}
    assert {name: where for name, where in twice.items() if name not in SAME | APART} == {}


def test_the_exceptions_are_still_needed() -> None:
    twice = {name for name, where in classes().items() if len(where) > 1}
    assert SAME.keys() | APART.keys() <= twice


def test_every_module_that_is_mentioned_exists() -> None:
    known = {name for name, _ in modules()}
    books = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(path for _, path in modules())]
    stale = []
    for book in books:
        for name in re.findall(
            rf"`((?:{'|'.join(ROOMS)})(?:\.[a-z_]\w*)+)`", book.read_text("utf-8")
        ):
            parts = name.split(".")
            if parts[-1] in ("json", "log", "parquet", "yaml", "html"):
                continue
            if not any(".".join(parts[:count]) in known for count in range(2, len(parts) + 1)):
                stale.append((str(book.relative_to(ROOT)), name))
    assert stale == []
