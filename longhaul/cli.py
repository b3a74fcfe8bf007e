"""The command line: which verbs there are, and how what goes wrong is said.

Exit codes: 0 done, 1 it could not be done, 2 the input is wrong.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from longhaul import __version__
from longhaul.verbs.arguments import complain

VERBS = (
    "run",
    "attribute",
    "compare",
    "export",
    "plan",
    "validate",
    "aging",
    "graph",
    "inspect",
    "up",
    "exec",
    "bench",
    "import",
    "schedule",
    "show",
    "schema",
    "doctor",
)
"""Each a module of `longhaul.verbs`, in the order of `--help`."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out the verb of a command line; what went wrong is said plainly, never as a traceback."""
    from longhaul.folder import FolderTaken
    from longhaul.machine.dispatch import MachineError
    from longhaul.machine.uml import GuestError
    from scenario.text.diagnostics import InvalidInput

    words = parser().parse_args(arguments)
    words.command = ["longhaul", *(sys.argv[1:] if arguments is None else arguments)]
    try:
        return int(words.verb(words))
    except InvalidInput as error:
        return complain(
            json.dumps(error.to_json(), indent=1) if _wants_json(words) else str(error), 2
        )
    except FolderTaken as error:
        return complain(f"longhaul: {error}", 2)
    except (MachineError, GuestError) as error:
        return complain(f"longhaul: {error}", 1)
    except KeyboardInterrupt:
        return complain("longhaul: interrupted; nothing of it is left running", 130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141


def _wants_json(words: argparse.Namespace) -> bool:
    return getattr(words, "format", None) == "json"


def parser() -> argparse.ArgumentParser:
    """The command line, verb by verb."""
    top = argparse.ArgumentParser(
        prog="longhaul",
        description="Synchronous training across campuses: real packets, exact virtual time.",
        epilog="Each verb has its own --help, with an example.",
    )
    top.add_argument("--version", action="version", version=f"longhaul {__version__}")
    verbs = top.add_subparsers(title="verbs", metavar="VERB", required=True)
    for name in VERBS:
        import_module(f"longhaul.verbs.{name}").add(verbs)
    return top


if __name__ == "__main__":
    sys.exit(main())
