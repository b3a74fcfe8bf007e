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
import subprocess
from collections import Counter, defaultdict
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from math import isclose
from pathlib import Path
from typing import Any

from analysis.legible import legible
from longhaul.aside import aside
from longhaul.code import code
from longhaul.folder import Unwritable, put, write_output
from longhaul.labs.catalogue import LABS
from longhaul.labs.folders import MOST_ARCHIVE_BYTES, MOST_FILES, taken_in
from longhaul.labs.marking import OWN, owned
from longhaul.machine.bundle import again
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
    if kept := _kept_part(part, key):
        return Graded(path.name, kept["sheet"], kept["problem"])
    hear(f"{path.name} is marked")
    graded = _graded(path, options)
    kept = {"key": key, "sheet": graded.sheet, "problem": graded.problem}
    put(part, json.dumps(kept, indent=1))
    return graded


def _kept_part(part: Path, key: str) -> dict[str, Any] | None:
    """What is kept of a submission, if that is of the same one."""
    try:
        kept = json.loads(part.read_text(encoding="utf-8"))
        return kept if kept["key"] == key else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _key(path: Path, options: Sequence[str]) -> str:
    """A digest of what was handed in, of the secret and variants, of the labs and the programs."""
    handed = sorted(path.iterdir())[:MOST_FILES] if path.is_dir() else [path]
    files = [
        *(one for one in handed if one.is_file() and not one.is_symlink()),
        *(Path(word.partition("=")[2]) for word in options),
        *sorted(LABS.rglob("check.yaml")),
    ]
    sha = hashlib.sha256(code().encode())
    for file in files:
        sha.update(f"{file.name}\0{file.stat().st_size}\0".encode())
        with file.open("rb") as opened:
            sha.update(opened.read(MOST_ARCHIVE_BYTES))
    return sha.hexdigest()


def _graded(path: Path, options: Sequence[str]) -> Graded:
    try:
        with aside() as folder:
            taken_in(path, folder)
            owned(folder)
            return _checked(path.name, folder, options)
    except (LonghaulError, OSError) as error:
        return Graded(path.name, {}, str(error).strip())


def _checked(name: str, folder: Path, options: Sequence[str]) -> Graded:
    """Marked by `longhaul lab check` in a process of its own."""
    command = [*again(), "lab", "check", str(folder), "--format", "json"]
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
    """The same, with what is odd: an answer that is wrong here and right for another student, and what was handed in
    for one student and lab more than once."""
    rows = list(rows)
    times = Counter(_whose(row) for row in rows)
    right: dict[tuple[int, str], list[tuple[str, Any]]] = defaultdict(list)
    for row in rows:
        for task in row.sheet.get("tasks", ()):
            known = [task["right_is"], *([task["given"]] if task["right"] else [])]
            right[row.sheet["lab"], task["task"]] += [(row.who, value) for value in known]
    twice = {whose for whose, count in times.items() if count > 1 and whose}
    return [replace(row, flags=(*_flags(row, right), *_again(row, twice))) for row in rows]


def _whose(row: Graded) -> tuple[str, int] | None:
    return (row.who, row.sheet["lab"]) if row.sheet else None


def _again(row: Graded, twice: Container[tuple[str, int] | None]) -> list[str]:
    return [f"{row.who} hands this in more than once"] if _whose(row) in twice else []


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
    text = legible(str(cell))
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
