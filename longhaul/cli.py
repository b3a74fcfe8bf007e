"""The command line: which verbs there are, and how what goes wrong is said.

Exit codes: 0 done; 1 it could not be done, or a check or condition does not hold; 2 the input is wrong; 130
interrupted; 141 whoever read the output went away. `exec` ends with the worst status of its hosts' commands.
"""

from __future__ import annotations

import argparse
import errno
import json
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from longhaul import __version__
from longhaul.verbs.arguments import complain
from longhaul.verbs.shape import settle
from longhaul.verbs.streams import CannotPrint
from longhaul.verbs.variables import with_variables
from scenario.errors import LonghaulError

VERBS = (
    "run",
    "check",
    "attribute",
    "worth",
    "study",
    "compare",
    "export",
    "plan",
    "validate",
    "aging",
    "graph",
    "inspect",
    "runs",
    "up",
    "exec",
    "bench",
    "import",
    "schedule",
    "lab",
    "show",
    "schema",
    "new",
    "doctor",
    "completion",
)
"""Each a module of `longhaul.verbs`, in the order of `--help`."""


TOLD = {
    errno.ENAMETOOLONG: 2, errno.ELOOP: 2, errno.EACCES: 2, errno.EROFS: 2, errno.ENOSPC: 1, errno.EDQUOT: 1,
}  # fmt: skip
"""What the files that a user named may come to, and the status that it ends with. Any other OSError is a defect."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out the verb of a command line; what went wrong is said plainly, never as a traceback. Raises CannotPrint
    and BrokenPipeError, which are for whoever has this process."""
    top = parser()
    if "_ARGCOMPLETE" in os.environ:  # a shell asks what could stand here
        import argcomplete

        argcomplete.autocomplete(top)
    said, heard = with_variables(top, sys.argv[1:] if arguments is None else arguments, os.environ)
    try:
        words = top.parse_args(said)
    except SystemExit as ended:
        if ended.code and heard:
            complain(f"longhaul: these variables were heard: {', '.join(heard)}", 2)
        raise
    words.command = ["longhaul", *said]
    try:
        if (text := settle(words)) is not None:
            print(text, end="")
            return 0
        return int(words.verb(words))
    except CannotPrint:
        raise
    except LonghaulError as error:
        return _tell(error, words)
    except OSError as error:
        if error.errno not in TOLD:
            raise
        place = f"{str(error.filename)[:200]}: " if error.filename else ""
        return complain(f"longhaul: {place}{error.strerror}", TOLD[error.errno])
    except KeyboardInterrupt:
        return complain("longhaul: interrupted; nothing of it is left running", 130)


def _tell(error: LonghaulError, words: argparse.Namespace) -> int:
    """Say an error for whoever reads it; what names a file and line already needs no name before it."""
    if getattr(words, "format", None) == "json":
        print(json.dumps({"errors": error.to_json()}, indent=1, ensure_ascii=False))
        return error.exit_status
    text = str(error) if hasattr(error, "diagnostics") else f"longhaul: {error}"
    return complain(text, error.exit_status)


def _help(top: argparse.ArgumentParser) -> int:
    top.print_help()
    return 0


def parser() -> argparse.ArgumentParser:
    """The command line, verb by verb."""
    top = argparse.ArgumentParser(
        prog="longhaul",
        description="Synchronous training across campuses: real packets, exact virtual time.",
        epilog="Each verb has its own --help, with an example. LONGHAUL_SEED=7 stands for --seed 7, and so for most "
        "options.",
    )
    top.add_argument("--version", action="version", version=f"longhaul {__version__}")
    top.set_defaults(verb=lambda _: _help(top))  # of a command line without any
    verbs = top.add_subparsers(title="verbs", metavar="VERB")
    for name in VERBS:
        import_module(f"longhaul.verbs.{name}").add(verbs)
    return top
