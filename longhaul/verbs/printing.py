"""How verbs print what they found: text for people or JSON for programs, on standard output or into a file.

In: the words of a command line, the findings as plain data, a function that draws them. One mechanism for all verbs;
docs/cli.md says what each of them gives.
"""

from __future__ import annotations

import argparse
import codecs
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

WIDTH = 80


def form(made: argparse.ArgumentParser, *more: str) -> None:
    """`--format` of a verb that makes a folder, and prints what came of it."""
    made.add_argument(
        "--format", choices=("text", "json", *more), default="text", help="default text"
    )


def printed(made: argparse.ArgumentParser, *more: str) -> None:
    """`--format`, and the file to print to, of a verb that does nothing else."""
    form(made, *more)
    file(made)


def file(made: argparse.ArgumentParser) -> None:
    """The file to print to."""
    made.add_argument(
        "-o", "--out", "--output", dest="file", type=Path, metavar="FILE",
        help="default: standard output",
    )  # fmt: skip


def folder(made: argparse.ArgumentParser, default: str = "runs/<name>-<number>") -> None:
    """The folder to make."""
    made.add_argument(
        "-o", "--out", type=Path, metavar="FOLDER", help=f"the folder to make (default: {default})"
    )


def tell(
    words: argparse.Namespace, data: Callable[[], Any], draw: Callable[[Console], None]
) -> None:
    """Print what was found, in the form and to the place that the words ask for. Raises Unwritable."""
    if words.format == "json":
        put(words, as_json(data()))
    elif getattr(words, "file", None):
        put(words, drawn(draw))
    else:
        from analysis.terminal.console import console

        draw(console())


def put(words: argparse.Namespace, text: str) -> None:
    """Print a text, or write it to the file that the words name. Raises Unwritable."""
    from longhaul.folder import write_output

    if getattr(words, "file", None):
        write_output(words.file, text)
    else:
        print(text, end="")


def as_json(data: Any) -> str:
    """Plain data as every verb prints it: escaped where standard output is not of UTF-8."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    escaped = codecs.lookup(encoding).name != "utf-8"
    return json.dumps(data, indent=1, ensure_ascii=escaped) + "\n"


def drawn(draw: Callable[[Console], None]) -> str:
    """What is drawn, as text without colours."""
    from analysis.terminal.console import Terminal

    out = io.StringIO()
    draw(Terminal(file=out, width=WIDTH, highlight=False, markup=False))
    return out.getvalue()
