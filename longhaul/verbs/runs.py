"""`longhaul runs`: which run folders there are; and away with them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from longhaul.verbs.arguments import Verbs, moment, verb
from longhaul.verbs.printing import printed, tell
from scenario.errors import WrongInput

if TYPE_CHECKING:
    from rich.console import Console

    from longhaul.runs.listing import ListedRun

VERDICTS = ("faithful", "unfaithful", "done", "failed", "running", "damaged")


def add(verbs: Verbs) -> None:
    """The verb and its arguments."""
    made = verb(
        verbs, "runs", runs, "list run folders, what came of each, or remove them",
        "longhaul runs --topology colossus --verdict faithful --since 2d",
    )  # fmt: skip
    made.add_argument("names", nargs="*", metavar="NAME", help="names, with or without *")
    made.add_argument("--topology", metavar="NAME", help="of this topology (* stands for any)")
    made.add_argument(
        "--verdict", choices=VERDICTS, help="done: a benchmark or an attribution, which has none"
    )
    made.add_argument(
        "--since", type=moment, metavar="WHEN", help="as 2h, 3d (ago), 2026-11-21, 2026-11-21T08:30"
    )
    made.add_argument("--before", type=moment, metavar="WHEN")
    made.add_argument(
        "--folder", type=Path, default=Path("runs"), help="where they are (default runs)"
    )
    made.add_argument("--remove", action="store_true", help="remove all that are named or meant")
    made.add_argument("--yes", action="store_true", help="do not ask before removing")
    printed(made)


def runs(words: argparse.Namespace) -> int:
    """List, or remove."""
    from longhaul.runs.listing import Wanted, listed

    wanted = Wanted(tuple(words.names), words.topology, words.verdict, words.since, words.before)
    found = [one for one in listed(words.folder) if wanted.means(one)]
    if words.remove:
        if wanted == Wanted():
            raise WrongInput("say which to remove: names (* for all), --topology, --verdict, …")
        return _remove(words, found)
    tell(words, lambda: [run_json(one) for one in found], lambda out: _draw(found, out))
    return 0


def _remove(words: argparse.Namespace, found: Sequence[ListedRun]) -> int:
    """Remove, after a question where somebody can answer it. Raises WrongInput."""
    from longhaul.runs.listing import remove

    if found and not words.yes and not _agreed(found):
        raise WrongInput("nothing was removed: say --yes, or answer y")
    for one in found:
        remove(one)
    gone = [str(one.folder) for one in found]
    tell(words, lambda: {"removed": gone}, lambda out: _say_gone(gone, out))
    return 0


def _agreed(found: Sequence[ListedRun]) -> bool:
    """Whether somebody at a terminal says yes."""
    if not sys.stdin.isatty():
        return False
    names = ", ".join(one.name for one in found[:8]) + (" …" if len(found) > 8 else "")
    print(f"Remove {len(found)}: {names}? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _say_gone(gone: Sequence[str], out: Console) -> None:
    for folder in gone:
        out.print(f"removed {folder}", soft_wrap=True)
    if not gone:
        out.print("nothing to remove")


def run_json(one: ListedRun) -> dict[str, Any]:
    """A run as plain data."""
    return {
        "folder": str(one.folder),
        "kind": one.kind,
        "verdict": one.state,
        "made": one.made.isoformat(timespec="seconds"),
        "topology": one.topology,
        "seed": one.seed,
        "iteration_s": one.iteration_s,
        "waste": one.waste,
        "size_bytes": one.size_bytes,
        "why": one.why,
    }


def _draw(found: Sequence[ListedRun], out: Console) -> None:
    from analysis import units
    from analysis.terminal.tables import table

    if not found:
        out.print("no runs")
        return
    made = table("Runs", "name", "topology", "made", "verdict", "p50", "lost", "size", text=4)
    for column in (0, 2, 3):
        made.columns[column].no_wrap = True
    for one in found:
        made.add_row(
            one.name, one.topology or "–", f"{one.made:%Y-%m-%d %H:%M}", _verdict(one),
            "–" if one.iteration_s is None else units.time(one.iteration_s),
            units.percent(one.waste), units.size(one.size_bytes),
        )  # fmt: skip
    out.print(made)
    for one in found:
        if one.why:
            out.print(f"{one.name} is damaged: {one.why}", style="red")


def _verdict(one: ListedRun) -> str:
    if one.state == "unfaithful":
        return "UNFAITHFUL"
    return one.kind if one.state == "done" else one.state
