"""`longhaul doctor`: what this machine can and cannot do."""

from __future__ import annotations

import argparse

from longhaul.verbs.arguments import Verbs, verb
from longhaul.verbs.printing import as_json, printed, put


def add(verbs: Verbs) -> None:
    """The verb and its arguments."""
    made = verb(
        verbs, "doctor", doctor, "say what this machine can and cannot do, and how to mend it",
        "longhaul doctor",
    )  # fmt: skip
    printed(made)


def doctor(words: argparse.Namespace) -> int:
    """Print the findings; 1 if something is to be mended."""
    from dataclasses import asdict

    from longhaul.machine.doctor import diagnose, render

    checks = diagnose()
    if words.format == "json":
        put(words, as_json([asdict(check) for check in checks]))
    else:
        put(words, render(checks) + "\n")
    return int(any(check.ok is False for check in checks))
