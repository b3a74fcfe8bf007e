"""`longhaul lab`: teaching labs: a student's own folder, whether answers are right, grades of a course."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from longhaul.verbs.arguments import Verb, Verbs, complain, number, verb
from longhaul.verbs.printing import printed, put, tell

if TYPE_CHECKING:
    from longhaul.labs.catalogue import Lab
    from longhaul.labs.marking import Teacher

HERE = Path()


def add(verbs: Verbs) -> None:
    """The verb and what it does."""
    made = verb(
        verbs, "lab", lambda _: _usage(made), "teaching labs: parameters for each student, answers marked exactly",
        "longhaul lab new 1 my-first-lab --student ada",
    )  # fmt: skip
    does = made.add_subparsers(title="what to do", metavar="WHAT")
    printed(_part(does, "list", listed, "the labs there are"))
    _new(_part(does, "new", new, "make a folder with parameters of a student's own"))
    _check(
        _part(
            does, "check", check, "mark the answers in a folder; exit status 1 where one is wrong"
        )
    )
    _hint(_part(does, "hint", hint, "one more hint"))
    _submit(_part(does, "submit", submit, "pack what is to be handed in"))
    _grade(_part(does, "grade", grade, "mark what a whole course handed in"))


def _part(
    does: argparse._SubParsersAction[argparse.ArgumentParser], name: str, do: Verb, what: str
) -> argparse.ArgumentParser:
    made = does.add_parser(name, help=what, description=f"{what[0].upper()}{what[1:]}.")
    made.set_defaults(verb=do)
    return made


def _usage(made: argparse.ArgumentParser) -> int:
    made.print_help()
    return 0


def _folder(made: argparse.ArgumentParser) -> None:
    made.add_argument(
        "folder", type=Path, nargs="?", default=HERE, help="a student's folder (default: this one)"
    )


def _course(made: argparse.ArgumentParser) -> None:
    made.add_argument(
        "--course", type=Path, metavar="FILE",
        help="the course's secret, which parameters follow from (default: none, so that all can know all)",
    )  # fmt: skip


def _variants(made: argparse.ArgumentParser) -> None:
    made.add_argument(
        "--variants", type=Path, metavar="FILE", help="further parameters that code must be right for"
    )  # fmt: skip


def _new(made: argparse.ArgumentParser) -> None:
    made.add_argument("lab", help="its number or name, as 1 or 01-light")
    made.add_argument(
        "folder", type=Path, nargs="?", help="the folder to make (default: the lab's name)"
    )
    made.add_argument("--student", required=True, metavar="ID", help="whose lab it is")
    _course(made)


def _check(made: argparse.ArgumentParser) -> None:
    _folder(made)
    printed(made, "junit", "gradescope")
    _course(made)
    _variants(made)


def _hint(made: argparse.ArgumentParser) -> None:
    _folder(made)
    made.add_argument(
        "--number", type=number, default=1, metavar="N", help="which (default: the first)"
    )


def _submit(made: argparse.ArgumentParser) -> None:
    _folder(made)
    made.add_argument("-o", "--out", type=Path, metavar="FILE", help="the zip file to write")


def _grade(made: argparse.ArgumentParser) -> None:
    made.add_argument(
        "submissions", type=Path, help="a folder with zip files or folders that were handed in"
    )
    made.add_argument(
        "-o", "--out", type=Path, default=Path("grades.csv"), help="default grades.csv"
    )
    made.add_argument(
        "--jobs", type=number, metavar="N", help="at a time (default: as many as CPUs)"
    )
    _course(made)
    _variants(made)


def listed(words: argparse.Namespace) -> int:
    """The labs, a line each."""
    from longhaul.labs.catalogue import labs

    found = list(labs().values())
    tell(
        words,
        lambda: [
            {
                "lab": one.number,
                "title": one.sheet.title,
                "minutes": one.sheet.minutes,
                "points": one.points,
                "name": one.folder.name,
            }
            for one in found
        ],
        lambda out: out.print("\n".join(map(line, found))),
    )
    return 0


def line(one: Lab) -> str:
    """A lab in a line."""
    sheet = one.sheet
    return f"{one.number:>2}  {sheet.title:<25} {sheet.minutes:>4} min {one.points:>3} points  {one.folder.name}"


def new(words: argparse.Namespace) -> int:
    """Make a student's folder."""
    from longhaul.labs import draws, folders
    from longhaul.labs.catalogue import lab
    from longhaul.labs.marking import shown

    one = lab(words.lab)
    folder = words.folder or Path(one.folder.name)
    drawn = folders.new(one, folder, words.student, draws.secret(words.course))
    print(f"{folder}: lab {one.number}, {one.sheet.title}, {one.sheet.minutes} minutes")
    for name, value in shown(one, drawn).items():
        print(f"  {name:<24} {value}")
    print(f"begin with {folder / 'README.md'}; then: longhaul lab check {folder}")
    return 0


def check(words: argparse.Namespace) -> int:
    """Mark a folder, print the sheet; 1 where something is wrong."""
    from longhaul.labs.marking import attempt_of, marked
    from longhaul.labs.sheets import FORMS

    sheet = marked(attempt_of(words.folder, _teacher(words), _hearing(words)))
    sheet = replace(sheet, teachers=bool(words.course))
    put(words, FORMS[words.format](sheet) + "\n")
    return 0 if sheet.whole else 1


def hint(words: argparse.Namespace) -> int:
    """Print a hint."""
    one = _lab_of(words.folder)
    hints = one.sheet.hints
    if words.number > len(hints):
        return complain(f"longhaul: lab {one.number} has {len(hints)} hints", 1)
    print(f"{words.number} of {len(hints)}: {hints[words.number - 1]}")
    return 0


def submit(words: argparse.Namespace) -> int:
    """Pack a folder."""
    from longhaul.labs import folders

    packed = folders.pack(words.folder, _lab_of(words.folder), words.out)
    print(f"{packed}: hand this in")
    return 0


def grade(words: argparse.Namespace) -> int:
    """Mark all that was handed in, write the table."""
    from longhaul.labs import draws
    from longhaul.labs.grading import grade_all
    from longhaul.labs.marking import read_variants

    draws.secret(words.course)
    read_variants(words.variants)
    given = {"course": words.course, "variants": words.variants}
    table = grade_all(words.submissions, words.out, words.jobs, given, _hearing(words))
    print(f"{words.out}: {len(table)} graded, {sum(bool(row.flags) for row in table)} flagged")
    return 0


def _lab_of(folder: Path) -> Lab:
    from longhaul.labs.catalogue import lab
    from longhaul.labs.marking import owned

    return lab(str(owned(folder).lab))


def _teacher(words: argparse.Namespace) -> Teacher:
    from longhaul.labs import draws
    from longhaul.labs.marking import Teacher, read_variants

    secret = draws.secret(words.course) if words.course else None
    return Teacher(secret, read_variants(words.variants))


def _hearing(words: argparse.Namespace) -> Callable[[str], None]:
    """Tell what goes on, to whoever waits; not part of the answer."""

    def heard(text: str) -> None:
        if not words.quiet:
            print(f"… {text}", file=sys.stderr, flush=True)

    return heard
