"""`longhaul graph`: a picture of a topology."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from longhaul.verbs.arguments import Verbs, verb
from longhaul.verbs.printing import as_json, file, put
from longhaul.verbs.shape import topology
from scenario.errors import WrongInput

FORMATS = ("svg", "html", "dot", "mermaid", "json")
SUFFIXES = {
    ".svg": "svg", ".html": "html", ".htm": "html", ".dot": "dot", ".gv": "dot", ".mmd": "mermaid",
    ".mermaid": "mermaid", ".json": "json",
}  # fmt: skip


def add(verbs: Verbs) -> None:
    """The verb and its arguments."""
    made = verb(
        verbs, "graph", graph, "draw a topology as SVG, HTML, Graphviz's DOT or Mermaid",
        "longhaul graph topologies/continent.yaml -o continent.svg",
    )  # fmt: skip
    topology(made)
    made.add_argument("--format", choices=FORMATS, help="default: by the file's name, else svg")
    file(made)


def graph(words: argparse.Namespace) -> int:
    """Write the picture."""
    import longhaul as lh
    from analysis.pictures.diagrams import connections, dot, mermaid
    from analysis.pictures.graphs import html, svg

    drawers: dict[str, Callable[[dict[str, Any]], str]] = {
        "svg": svg,
        "html": html,
        "dot": dot,
        "mermaid": mermaid,
        "json": lambda found: as_json(connections(found)),
    }
    form = words.format or _format(words.file)
    plan = lh.plan(lh.Topology.load(words.topology, words.overrides)).to_json()
    put(words, drawers[form](plan))
    return 0


def _format(output: Path | None) -> str:
    """What a file's name asks for: SVG where it does not say. Raises WrongInput for a suffix that is none of ours."""
    name = output.name.lower() if output else ""
    suffix = f".{name.rpartition('.')[2]}" if "." in name[1:] else ""
    if suffix and suffix not in SUFFIXES:
        raise WrongInput(
            f"{output}: what {suffix} should be is not known: {', '.join(SUFFIXES)} are; or say --format"
        )
    return SUFFIXES.get(suffix, "svg")
