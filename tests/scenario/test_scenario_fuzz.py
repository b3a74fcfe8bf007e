"""Whatever a file holds, it is read or refused with a place: no traceback, no hang.

`LONGHAUL_FUZZ=10000 pytest tests/scenario/test_scenario_fuzz.py` tries that many mutated files.
"""

import os
import random
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scenario.loading import load_topology, load_workload
from scenario.text.diagnostics import InvalidInput

ROOT = Path(__file__).parents[2]
SEEDS = [
    path.read_bytes()
    for folder in ("topologies", "traffic/workloads", "tests/scenario/bad")
    for path in sorted((ROOT / folder).glob("*.yaml"))
]
FRAGMENTS = (
    b"[ ] { } : - , # | > & * ! % @ ` ' \" ? ~ \n \t \\ \x00 \xff \xe2\x80\xa8 \xed\xa0\x80 null true "
    b"no 1e999 -1 0 .inf 0x1f 99999999999999999999 10mi 400G 20y c1 c2 kind single fat-tree explicit "
    b'leaf-spine <<: *a &a !!int --- ... \xf0\x9f\x98\x80 "\\UFFFFFFFF" "\\ud800" between hosts '
    b"include templates defaults kinds template exceptions coordinates timeline event at every mtbf "
    b"for mttr from link-down link-flap degrade drift throttle crash to-age steps flaps c1-* 3s"
).split(b" ")

EXAMPLES = int(os.environ.get("LONGHAUL_FUZZ", "200"))

Step = Callable[[bytes, random.Random], bytes]


def _cut(text: bytes, chance: random.Random) -> bytes:
    start = chance.randrange(len(text) + 1)
    return text[:start] + text[start + chance.randrange(1, 20) :]


def _insert(text: bytes, chance: random.Random) -> bytes:
    start = chance.randrange(len(text) + 1)
    return text[:start] + chance.choice(FRAGMENTS) * chance.choice((1, 1, 1, 50)) + text[start:]


def _replace(text: bytes, chance: random.Random) -> bytes:
    words = text.split(b" ")
    words[chance.randrange(len(words))] = chance.choice(FRAGMENTS)
    return b" ".join(words)


def _move_line(text: bytes, chance: random.Random) -> bytes:
    lines = text.split(b"\n")
    line = lines.pop(chance.randrange(len(lines)))
    lines.insert(chance.randrange(len(lines) + 1), b" " * chance.randrange(5) + line)
    return b"\n".join(lines)


def _flip(text: bytes, chance: random.Random) -> bytes:
    changed = bytearray(text or b"x")
    changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


STEPS: list[Step] = [_cut, _insert, _replace, _move_line, _flip]


def mutated(seed: int) -> bytes:
    """A shipped or bad file with one to six things done to it."""
    chance = random.Random(seed)
    text = chance.choice(SEEDS)
    for _ in range(chance.randrange(1, 7)):
        text = chance.choice(STEPS)(text, chance)
    return text


def _complaint(load: Callable[[], object]) -> str:
    """What is said of the input; empty if it was read. Whatever else is raised is a bug."""
    try:
        load()
    except InvalidInput as error:
        return str(error)
    return ""


def _read_or_refuse(path: Path) -> None:
    for load in (load_topology, load_workload):
        started = time.process_time()
        said = _complaint(partial(load, path))
        assert time.process_time() - started < 5
        assert said.startswith(f"{path}:") or not said
        said.encode("utf-8")


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz") / "file.yaml"


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32))
def test_a_mutated_file_is_read_or_refused_with_a_place(file: Path, seed: int) -> None:
    file.write_bytes(mutated(seed))
    _read_or_refuse(file)


@settings(max_examples=200, deadline=None)
@given(content=st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_read_or_refused_with_a_place(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    _read_or_refuse(file)


@settings(max_examples=200, deadline=None)
@given(override=st.text(max_size=60) | st.from_regex(r"[a-z.0-9\[\]-]{1,30}=.{0,20}"))
def test_any_override_is_taken_or_refused_with_a_place(override: str) -> None:
    _complaint(lambda: load_topology(ROOT / "topologies" / "two-hosts.yaml", [override]))


@pytest.mark.parametrize(
    "text",
    [
        "[" * 200_000,
        "{a: " * 200_000,
        "- " * 400_000,
        "? " * 400_000,
        "x" * 300_000,
        "a: " + "9" * 300_000,
        "- 1\n" * 80_000,
        "'" + "\n" * 300_000,
        "#" * 300_000,
        "a: &a [" + "*a, " * 100_000 + "]",
        "x: " + "\\" * 300_000,
        "".join(f"k{i}: 1\n" for i in range(90_000)),
        "a: " * 300_000,
    ],
    ids=lambda text: repr(text[:12]),
)
def test_a_bomb_is_refused_within_seconds(file: Path, text: str) -> None:
    file.write_text(text, encoding="utf-8")
    _read_or_refuse(file)


def test_a_file_that_is_too_large_is_refused(file: Path) -> None:
    file.write_bytes(b"# " + b"x" * 10_000_000)
    with pytest.raises(InvalidInput, match="larger than 1,000,000 bytes"):
        load_topology(file)
