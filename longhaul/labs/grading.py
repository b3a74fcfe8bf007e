"""Grades of a whole course: every submission marked in a process of its own, several at a time, each kept when
it is done.

In: a folder of zip files or folders. Out: a table as CSV, and beside it a folder `<table>.parts` with each sheet
as JSON, by which an interrupted grading goes on where it stopped. A wrong answer that is right for another
student is flagged.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from math import isclose
from pathlib import Path
from typing import Any

from longhaul.code import code
from longhaul.folder import Unwritable, write_output
from longhaul.labs.catalogue import LABS
from longhaul.labs.folders import HandedIn, unpack
from longhaul.labs.marking import OWN, owned
from longhaul.machine.child import child
from scenario.errors import LonghaulError, WrongInput

MOST_S = 1800.0
CLOSE = 1e-6
Hear = Callable[[str], None]


@dataclass(frozen=True)
class Graded:
    """One submission: its name, the sheet as `lab check --format json` prints it, what went wrong, what is odd."""

    name: str
    sheet: dict[str, Any]
    problem: str = ""
    flags: tuple[str, ...] = ()

    @property
    def who(self) -> str:
        """The student, as far as known."""
        return str(self.sheet.get("student", ""))


def grade_all(
    submissions: Path, out: Path, jobs: int | None, given: Mapping[str, Path | None], hear: Hear
) -> list[Graded]:
    """Marked every submission, and write the table; `given` are the files of `--course` and `--variants`.

    Raises WrongInput, Unwritable.
    """
    found = _submissions(submissions)
    parts = out.with_name(f"{out.name}.parts")
    try:
        parts.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Unwritable(parts, error) from None
    options = [f"--{name}={path.absolute()}" for name, path in given.items() if path]
    with ThreadPoolExecutor(jobs or len(os.sched_getaffinity(0))) as pool:
        rows = list(pool.map(lambda path: _kept(path, parts, options, hear), found))
    rows = flagged(rows)
    write_output(out, table(rows))
    return rows


def _submissions(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise WrongInput(f"{folder} is no folder of submissions")
    found = [
        path
        for path in sorted(folder.iterdir())
        if path.suffix == ".zip" or (path.is_dir() and (path / OWN).is_file())
    ]
    if not found:
        raise WrongInput(
            f"{folder} has no zip file that `longhaul lab submit` made, and no folder with a {OWN}"
        )
    return found


def _kept(path: Path, parts: Path, options: Sequence[str], hear: Hear) -> Graded:
    """A submission's grade: of before, where nothing of it has changed."""
    part = parts / f"{path.name}.json"
    key = _key(path, options)
    if part.is_file():
        kept = json.loads(part.read_text())
        if kept["key"] == key:
            return Graded(path.name, kept["sheet"], kept["problem"])
    hear(f"{path.name} is marked")
    graded = _graded(path, options)
    kept = {"key": key, "sheet": graded.sheet, "problem": graded.problem}
    part.write_text(json.dumps(kept, indent=1))
    return graded


def _key(path: Path, options: Sequence[str]) -> str:
    """A digest of what was handed in, of the secret and variants, of the labs and the programs."""
    files = [path] if path.is_file() else sorted(one for one in path.rglob("*") if one.is_file())
    files += [Path(word.partition("=")[2]) for word in options]
    files += sorted(one for one in LABS.rglob("check.yaml"))
    sha = hashlib.sha256(code().encode())
    for file in files:
        sha.update(file.name.encode() + b"\0" + file.read_bytes())
    return sha.hexdigest()


def _graded(path: Path, options: Sequence[str]) -> Graded:
    try:
        with tempfile.TemporaryDirectory(prefix="longhaul-grade-") as made:
            folder = Path(made)
            if path.is_dir():
                shutil.copytree(path, folder, dirs_exist_ok=True, symlinks=True)
            else:
                unpack(path, folder)
            owned(folder)
            return _checked(path.name, folder, options)
    except (LonghaulError, HandedIn, OSError) as error:
        return Graded(path.name, {}, str(error).strip())


def _checked(name: str, folder: Path, options: Sequence[str]) -> Graded:
    """Marked by `longhaul lab check` in a process of its own."""
    command = [
        sys.executable,
        "-P",
        "-m",
        "longhaul",
        "lab",
        "check",
        str(folder),
        "--format",
        "json",
    ]
    with (
        (folder / ".said").open("w") as said,
        child([*command, *options], stdout=said) as process,
    ):
        try:
            process.wait(MOST_S)
        except subprocess.TimeoutExpired:
            process.terminate()
            return Graded(name, {}, f"it took more than {MOST_S:g} s")
    text = (folder / ".said").read_text(errors="replace")
    begin = text.find("{\n")
    try:
        return Graded(name, json.loads(text[begin:]))
    except ValueError:
        return Graded(name, {}, text.strip()[-600:] or "nothing was said")


def flagged(rows: Iterable[Graded]) -> list[Graded]:
    """The same, with what is odd: an answer that is wrong here and right for another student."""
    rows = list(rows)
    right: dict[tuple[int, str], list[tuple[str, Any]]] = defaultdict(list)
    for row in rows:
        for task in row.sheet.get("tasks", ()):
            known = [task["right_is"], *([task["given"]] if task["right"] else [])]
            right[row.sheet["lab"], task["task"]] += [(row.who, value) for value in known]
    return [replace(row, flags=tuple(_flags(row, right))) for row in rows]


def _flags(row: Graded, right: dict[tuple[int, str], list[tuple[str, Any]]]) -> list[str]:
    found = []
    for task in row.sheet.get("tasks", ()):
        if task["right"] or task["given"] is None:
            continue
        same = {
            who
            for who, value in right[row.sheet["lab"], task["task"]]
            if who != row.who and _same(value, task["given"])
        }
        if same:
            found.append(f"{task['task']} is right for {', '.join(sorted(same))}")
    return found


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, int | float) and isinstance(other, int | float):
        return isclose(one, other, rel_tol=CLOSE)
    return one is not None and bool(one == other)


def table(rows: Sequence[Graded]) -> str:
    """As CSV, a row for each submission. A cell that a spreadsheet would compute is a text."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("submission", "student", "lab", "points", "of", "tasks", "flags", "problem"))
    for row in rows:
        sheet = row.sheet
        tasks = " ".join(f"{one['task']}={one['points']}" for one in sheet.get("tasks", ()))
        cells = (
            row.name,
            row.who,
            sheet.get("lab", ""),
            sheet.get("points", 0),
            sheet.get("of", ""),
        )
        writer.writerow(map(_harmless, (*cells, tasks, "; ".join(row.flags), row.problem)))
    return out.getvalue()


def _harmless(cell: object) -> str:
    text = str(cell)
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
