"""Collisions of big connections, in the terminal. In: `collisions` of `summary.json`. Out: a paragraph."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from analysis.findings.collisions import sentence
from analysis.form.collisions import Collisions


def print_collisions(found: Collisions, out: Console) -> None:
    """In bold where it costs something."""
    out.print(Text(sentence(found), "bold" if found.cost_share >= 0.001 else "dim"))
