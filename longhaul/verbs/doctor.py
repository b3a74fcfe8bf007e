"""`longhaul doctor`: what this machine can and cannot do."""

from __future__ import annotations

import argparse

from longhaul.verbs.arguments import Verbs, verb


def add(verbs: Verbs) -> None:
    """The verb and its arguments."""
    verb(
        verbs, "doctor", doctor, "say what this machine can and cannot do, and how to mend it",
        "longhaul doctor",
    )  # fmt: skip


def doctor(_words: argparse.Namespace) -> int:
    """Print the findings; 1 if something is to be mended."""
    from longhaul.machine.doctor import diagnose, render

    checks = diagnose()
    print(render(checks))
    return int(any(check.ok is False for check in checks))
