"""`longhaul graph`: a picture of a topology."""

from __future__ import annotations

import argparse
from pathlib import Path

from longhaul.verbs.arguments import Verbs, topology, verb

FORMATS = ("svg", "html", "dot", "mermaid")


def add(verbs: Verbs) -> None:
    """The verb and its arguments."""
    made = verb(
        verbs, "graph", graph, "draw a topology as SVG, HTML, Graphviz's DOT or Mermaid",
        "longhaul graph topologies/continent.yaml -o continent.svg",
    )  # fmt: skip
    topology(made)
    made.add_argument("--format", choices=FORMATS, help="default: by the file's name, else svg")
    made.add_argument("-o", "--output", type=Path, metavar="FILE", help="default: standard output")


def graph(words: argparse.Namespace) -> int:
    """Write the picture."""
    import longhaul as lh
    from analysis.pictures.diagrams import dot, mermaid
    from analysis.pictures.graphs import html, svg
    from longhaul.folder import write_output

    drawers = dict(zip(FORMATS, (svg, html, dot, mermaid), strict=True))
    plan = lh.plan(lh.Topology.load(words.topology, words.overrides)).to_json()
    picture = drawers[words.format or _format(words.output)](plan)
    if words.output is None:
        print(picture, end="")
    else:
        write_output(words.output, picture)
    return 0


def _format(output: Path | None) -> str:
    """What a file's name asks for."""
    suffixes = {".html": "html", ".dot": "dot", ".gv": "dot", ".mmd": "mermaid"}
    return suffixes.get(output.suffix.lower() if output else "", "svg")
