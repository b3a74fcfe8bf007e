"""`longhaul completion`: what a shell needs to complete verbs, options and files."""

from __future__ import annotations

import argparse

from longhaul.verbs.arguments import Verbs, verb

SHELLS = ("bash", "zsh", "fish", "tcsh", "powershell")


def add(verbs: Verbs) -> None:
    """The verb and its arguments."""
    made = verb(
        verbs, "completion", completion, "print what a shell needs to complete longhaul's words",
        "longhaul completion bash",
    )  # fmt: skip
    made.add_argument("shell", choices=SHELLS)


def completion(words: argparse.Namespace) -> int:
    """Print code that the shell is to evaluate."""
    from argcomplete.shell_integration import shellcode

    print(shellcode(["longhaul"], shell=words.shell))
    return 0
