"""`longhaul show`: a run's summary, or a benchmark's table, again."""

from __future__ import annotations

import argparse
from pathlib import Path

from longhaul.verbs.arguments import Verbs, verb
from longhaul.verbs.printing import printed, tell


def add(verbs: Verbs) -> None:
    """The verb and its arguments."""
    made = verb(
        verbs, "show", show, "print the summary of a run again", "longhaul show runs/colossus-1"
    )
    made.add_argument("run", type=Path, help="a run folder")
    printed(made)


def show(words: argparse.Namespace) -> int:
    """Print a finished run's summary."""
    import longhaul as lh

    found = lh.load(words.run)
    tell(words, lambda: {"folder": str(found.path)} | found.as_dict(), found.draw)
    return 0
