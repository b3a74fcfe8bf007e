"""The examples of docs/api.md are run, in order, in a checkout without runs; three guests are booted for them."""

import doctest
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE | doctest.IGNORE_EXCEPTION_DETAIL


@pytest.mark.slow
def test_the_examples_of_the_manual_do_what_they_say(
    kernel: Path,  # noqa: ARG001
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("topologies", "traffic"):
        (tmp_path / name).symlink_to(ROOT / name)
    monkeypatch.chdir(tmp_path)
    manual = str(ROOT / "docs" / "api.md")
    failed, tried = doctest.testfile(manual, module_relative=False, optionflags=FLAGS)
    assert tried > 30
    assert failed == 0
