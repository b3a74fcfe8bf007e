"""Numbers and paths on the command line: ASCII's digits, within bounds; a path that exists; refused in a short line."""

import argparse
from collections.abc import Callable
from importlib import import_module

import pytest

from longhaul.verbs import aging, arguments, bench, shape, study

importing = import_module("longhaul.verbs.import")
WHOLE: list[Callable[[str], int]] = [
    aging.mtu, arguments.seed, arguments.number, arguments.frame_bytes, arguments.cpu, bench.count, bench.natural,
    importing._ranks, shape.campuses, study._points,
]  # fmt: skip
NONE = [
    "",
    " ",
    "1 ",
    "-1",
    "+1",
    "1.0",
    "1e3",
    "0x1",
    "1_000",
    "²",
    "٣",
    "½",
    "nan",
    "9" * 5000,
    "1\n",
]


@pytest.mark.parametrize("read", WHOLE, ids=lambda read: f"{read.__module__}.{read.__name__}")
@pytest.mark.parametrize("text", NONE, ids=lambda text: repr(text[:6]))
def test_what_is_no_whole_number_is_refused(read: Callable[[str], int], text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError):
        read(text)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--distance", "1e30km"], "is not a distance above 0 and at most 50000km"),
        (["--distance", "0km"], "is not a distance above 0"),
        (["--distance", "1km", "--rate", "0bit/s"], "is not a rate above 0"),
        (["--distance", "1km", "--rate", "1e30bit/s"], "at most 1000000Gbit/s"),
        (["--distance", "1km", "--mtu", "-1"], "is not a whole number from 576 to 9216"),
    ],
)
def test_aging_is_of_links_that_can_be(
    words: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    from longhaul.cli import main

    with pytest.raises(SystemExit) as ended:
        main(["aging", *words])
    assert ended.value.code == 2
    assert says in capsys.readouterr().err


@pytest.mark.parametrize("path", ["", "/no/such/folder"])
def test_what_a_guest_is_to_see_is_there(path: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="does not exist"):
        arguments.there(path)
