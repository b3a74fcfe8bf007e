"""Calls students' functions inside a guest, never here: with limits of time and memory.

In: files and calls. Out: what each returned, or what it raised. A program that takes the guest down
(endless loop, too much memory) leaves its calls without an answer, and that is the answer.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from longhaul.aside import aside
from longhaul.labs.guest import calling
from longhaul.machine.bundle import again, own_python
from longhaul.machine.child import child

MEMORY = "1GB"
SILENCE_S = 180.0
"""Wall time without an answer: generous, as no mark may hang on how busy the machine is."""
ALL_S = 900.0
MOST_SAID_BYTES = 20_000_000
LOOK_EVERY_S = 0.05
GUEST = Path(calling.__file__).parent
FABRIC = """
longhaul: 1
name: desk
scale: {bytes: 1000}
campuses: {c1: {hosts: [{count: 1, accelerator: H100, name: h}]}}
"""


@dataclass(frozen=True)
class Call:
    """A function of a file (a student's, or with an absolute path one of ours), and its arguments."""

    file: str
    function: str
    arguments: Mapping[str, Any] = field(hash=False)


@dataclass(frozen=True)
class Answered:
    """What a call returned; or, where `error` is not empty, why it did not."""

    value: Any = None
    error: str = ""


def carry_out(files: Mapping[str, Path], calls: Sequence[Call]) -> list[Answered]:
    """Carry out all calls in one guest, which sees copies of these files by their names, and no other of ours."""
    with _desk(files, calls) as desk:
        said, ended = _in_guest(desk)
    answers = [_answered(line) for line in said.splitlines() if calling.ANSWER in line]
    missing = len(calls) - len(answers)
    return answers[: len(calls)] + [Answered(error=ended)] * missing


@contextmanager
def _desk(files: Mapping[str, Path], calls: Sequence[Call]) -> Iterator[Path]:
    """A folder with what the guest is to see."""
    with aside() as desk:
        for name, path in files.items():
            if path.is_file() and not path.is_symlink():
                shutil.copyfile(path, desk / name)
        (desk / "fabric.yaml").write_text(FABRIC)
        wanted = [
            {"file": one.file, "function": one.function, "arguments": dict(one.arguments)}
            for one in calls
        ]
        (desk / "calls.json").write_text(json.dumps(wanted))
        yield desk


def _in_guest(desk: Path) -> tuple[str, str]:
    """What the program printed, and how it ended in words."""
    inside = [*own_python(), str(GUEST / "calling.py"), "calls.json"]
    command = [
        *again(), "exec", "fabric.yaml", "--machine", "uml",
        "--memory", MEMORY, "--patience", str(SILENCE_S), "--", *inside,
    ]  # fmt: skip
    out = desk / "said"
    with out.open("w") as file, child(command, stdout=file, cwd=desk) as process:
        why = ended(process, out)
    said = out.read_text(errors="replace")
    last = [line for line in said.splitlines() if calling.ANSWER not in line][-1:]
    return said, why or f"it did not return: {last[0] if last else 'it said nothing'}"


def ended(process: subprocess.Popen[str], out: Path) -> str:
    """Wait for a program; where it had to be ended, why."""
    begun = time.monotonic()
    while process.poll() is None:
        if out.stat().st_size > MOST_SAID_BYTES:
            process.terminate()
            return "it printed without end"
        if time.monotonic() - begun > ALL_S:
            process.terminate()
            return f"it took more than {ALL_S:g} s"
        time.sleep(LOOK_EVERY_S)
    return ""


def _none(_: str) -> None:
    """What stands for NaN and the infinities: what is compared with NaN is never too large."""


def _answered(line: str) -> Answered:
    try:
        read = json.loads(line.partition(calling.ANSWER)[2], parse_constant=_none)
        return Answered(read.get("value"), str(read.get("error", "")))
    except (ValueError, RecursionError, AttributeError):
        return Answered(error="it returned no JSON")
