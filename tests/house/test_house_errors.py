"""Exceptions of ours: one tree with one base, drawn in one docstring, which is kept."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from longhaul.cli import main
from scenario import errors

ROOT = Path(__file__).parents[2]
ROOMS = ("scenario", "longhaul", "controller", "traffic", "analysis", "bench")
BASES = {"LonghaulError", "WrongInput"}
PYTHON_S = {"Exception", "ValueError", "RuntimeError", "OSError", "LookupError", "TypeError"}


def exceptions() -> Iterator[tuple[str, str, str]]:
    """Name, module and bases of each public exception that the sources define."""
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if not isinstance(node, ast.ClassDef) or node.name.startswith("_"):
                    continue
                bases = [base.id for base in node.bases if isinstance(base, ast.Name)]
                if (BASES | PYTHON_S) & set(bases) and node.name not in BASES:
                    yield node.name, module, bases[0]


def drawn() -> Iterator[tuple[str, str, str]]:
    """The same, from the picture."""
    for line in (errors.__doc__ or "").splitlines():
        if found := re.match(r"    (│   )?[├└]── (\w+) +([a-z_]+\.[a-z_.]+)", line):
            yield found[2], found[3], "WrongInput" if found[1] else "LonghaulError"


def test_every_exception_of_ours_stands_in_the_tree_beneath_its_base() -> None:
    assert sorted(drawn()) == sorted(exceptions())


@pytest.mark.parametrize(("error", "status"), [(errors.LonghaulError, 1), (errors.WrongInput, 2)])
def test_the_command_line_says_any_of_them_and_ends_with_its_status(
    error: type[errors.LonghaulError],
    status: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(_: object) -> int:
        raise error("the moon is in the way")

    monkeypatch.setattr("longhaul.verbs.doctor.doctor", fail)
    assert main(["doctor"]) == status
    assert capsys.readouterr().err == "longhaul: the moon is in the way\n"


def test_what_is_not_ours_is_a_defect_and_comes_through(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("longhaul.verbs.doctor.doctor", lambda _: dict[str, int]()["absent"])
    with pytest.raises(KeyError):
        main(["doctor"])
