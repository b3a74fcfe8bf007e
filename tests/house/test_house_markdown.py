"""What README and docs tell a reader to type or to write is tried: commands that need no guest are carried out, of
those that need one the inputs are read, YAML is loaded, planned and fits a guest, Python compiles."""

from __future__ import annotations

import os
import re
import shlex
import shutil
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import pytest
import yaml

import longhaul as lh
from analysis.findings.summary import write_summary
from analysis.studies.measures import measurable
from longhaul import cli
from longhaul.api.options import RunOptions, request
from longhaul.machine.memory import BYTES_PER_HOST
from longhaul.planning import make_plan
from longhaul.runs.life import Request
from longhaul.runs.workloads import DEFAULT, check_places, load_workloads, own_overrides
from longhaul.verbs import check, shape
from longhaul.verbs.new import starter
from longhaul.verbs.run import asked
from scenario.factors import load_without
from scenario.loading import load_topology, load_workload
from scenario.study.loading import load_study
from scenario.types.topology import Training, Workload
from scenario.workload.schedule import load_schedule
from tests.analysis.make_run import Scenario, make_run, uniform

ROOT = Path(__file__).parents[2]
BOOKS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
PLANNED = ("run", "bench", "up", "exec", "attribute")
"""Verbs that start a guest."""
ABSENT = ("train.py", "pt.trace.json", "job.yaml")
"""A reader's own files, which are not here: the words are understood, and no more."""
STANDS_FOR = {"TOPOLOGY": "topologies/two-hosts.yaml", "T.yaml": "topologies/two-hosts.yaml"}
STANDS_FOR |= {"FILE": "tests/run/checked.yaml"}
STANDS_FOR |= {"RUN": "runs/colossus-1", "NAME": "ranks"}


@dataclass(frozen=True)
class Block:
    """A fenced block of a book, or a command in its text."""

    book: Path
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.book.name}:{self.line}"


def blocks(book: Path) -> Iterator[Block]:
    """The fenced blocks of a book."""
    text = book.read_text(encoding="utf-8")
    for found in re.finditer(r"^```(\w*)\n(.*?)^```", text, re.M | re.S):
        yield Block(book, text[: found.start()].count("\n") + 1, found[1], found[2])


def commands(book: Path) -> Iterator[Block]:
    """Each `longhaul …` and `python -m analysis …` of a book's blocks and sentences."""
    start = r"(?:\$ )?(?:\.venv/bin/)?((?:longhaul|python -m analysis) [^\n]*)"
    for block in blocks(book):
        text = re.sub(r"\\\n\s*", "", block.text)
        if block.language in ("", "sh"):
            for found in re.finditer(rf"^{start}", text, re.M):
                yield Block(book, block.line, "sh", found[1])
    for number, line in enumerate(book.read_text(encoding="utf-8").splitlines(), start=1):
        for found in re.finditer(rf"`{start[:-1].replace('[^', '[^`')})`", line):
            yield Block(book, number, "sh", found[1])


BLOCKS = [block for book in BOOKS for block in blocks(book)]
COMMANDS = list(
    {one.text: one for book in BOOKS for one in commands(book) if "…" not in one.text}.values()
)
DOCUMENTS = [one for one in BLOCKS if one.language == "yaml" and one.text.startswith("longhaul:")]
FRAGMENTS = [one for one in BLOCKS if one.language == "yaml" and one not in DOCUMENTS]
PYTHON = [one for one in BLOCKS if one.language == "python"]
EXAMPLES = [one for one in PYTHON if not one.text.startswith(">>>")]
"""The others are doctests, which `tests/api` runs."""


def words_of(command: str) -> list[str]:
    """The words after `longhaul`, without comment and redirection; placeholders stand for files that exist."""
    words = shlex.split(command.partition(" #")[0])[1:]
    redirected = [index for index, word in enumerate(words) if word in ("<", ">")]
    return [STANDS_FOR.get(word, word) for word in words[: (*redirected, len(words))[0]]]


def test_there_is_something_to_try() -> None:
    assert len(COMMANDS) > 40
    assert len(DOCUMENTS) > 2
    assert FRAGMENTS
    assert EXAMPLES


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout as a reader has it, after two runs."""
    folder = tmp_path_factory.mktemp("desk")
    for name in ("topologies", "traffic", "tests", "studies"):
        (folder / name).symlink_to(ROOT / name)
    for name, made in (
        ("colossus-1", Scenario()),
        ("new-fibre-1", uniform(4)),
        *((name, uniform(4)) for name in ("mine", "before", "after", "first", "slow", "cut")),
    ):
        write_summary(make_run(folder / "runs" / name, made))
    (folder / "my.yaml").write_text(DOCUMENTS[0].text)
    (folder / "first.yaml").write_text(starter("topology", Path("first.yaml")))
    return folder


def sentences(book: Path) -> str:
    """A book without its blocks."""
    return re.sub(r"^```.*?^```", "", book.read_text(encoding="utf-8"), flags=re.M | re.S)


def carry_out(words: list[str]) -> str:
    """What a command line of a verb prints; it must end well."""
    with redirect_stdout(StringIO()) as out, redirect_stderr(StringIO()) as complaint:
        try:
            status = cli.main(words)
        except SystemExit as ended:  # of argparse, after help or usage
            status = int(ended.code or 0)
    assert status == 0, complaint.getvalue()
    return out.getvalue()


def workloads_of(request: Request) -> list[Workload]:
    """What a run would carry out, where that can be."""
    topology = load_without(request.topology, request.overrides, request.without)
    own = own_overrides(topology, request.workloads, request.workload_overrides)
    topology = load_without(request.topology, (*request.overrides, *own), request.without)
    found = load_workloads(topology, request.workloads, request.workload_overrides)
    check_places(found, topology)
    return found


@pytest.mark.parametrize("command", COMMANDS, ids=str)
def test_every_command_works_as_far_as_it_needs_no_guest(
    command: Block, desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(desk)
    for example in EXAMPLES:
        if example.book == command.book:
            (desk / "mine.py").write_text(example.text)
    words = words_of(command.text)
    if command.text.startswith("python"):
        assert words[:2] == ["-m", "analysis"]
        return
    if words and words[0] not in cli.VERBS:  # `longhaul` alone, or a name in a sentence
        assert words[0].startswith("-")
        return
    if words[1:] == [] and words[0] != "doctor":  # a verb, by its name
        return
    if (
        words[1:]
        and words[1].startswith("-")
        and "`" + command.text + "`" in sentences(command.book)
    ):
        known = carry_out([words[0], "--help"])
        assert all(word in known for word in words if word.startswith("-"))
        return
    if not any(name in command.text for name in ABSENT) and words[0] not in ("doctor", "import"):
        attempt(words)


def requested(asked_for: tuple[lh.Topology, list[lh.Workload], RunOptions]) -> Request:
    """The run that a verb asks the API for."""
    topology, workloads, options = asked_for
    return request(topology, workloads, **options)


def attempt(words: list[str]) -> None:
    """Carry a command line out, or what of it needs no guest."""
    parsed = cli.parser().parse_args(words)
    if shape.settle(parsed):
        return
    if words[0] == "run":
        parsed.command = words
        assert workloads_of(requested(asked(parsed)))
    elif words[0] == "new":
        assert starter(parsed.kind, parsed.out or Path("new.yaml"))
    elif words[0] == "check":
        assert all(requested(check.asked(parsed, file)) for file in parsed.files)
    elif words[0] == "study":
        placeholder = parsed.study.parts[0] != "studies"
        assert placeholder or load_study(parsed.study, measurable).varied
    elif words[0] in PLANNED:
        assert make_plan(load_topology(parsed.topology, parsed.overrides)).hosts
    else:
        carry_out(words)


@pytest.mark.parametrize("block", DOCUMENTS, ids=str)
def test_every_whole_document_is_one(block: Block, tmp_path: Path) -> None:
    file = tmp_path / "document.yaml"
    file.write_text(block.text)
    kind = yaml.safe_load(block.text).get("kind", "topology")
    if kind == "topology":
        assert make_plan(load_topology(file)).hosts
    elif kind == "schedule":
        load_schedule(file)
    elif kind == "study":
        for name in ("topologies", "traffic"):
            (tmp_path / name).symlink_to(ROOT / name)
        (tmp_path / "studies").mkdir()
        assert load_study(file.rename(tmp_path / "studies" / file.name), measurable).varied
    else:
        load_workload(file)


@pytest.mark.parametrize("block", [one for one in DOCUMENTS if "campuses:" in one.text], ids=str)
def test_every_whole_topology_fits_a_guest_with_the_workload_that_it_gets(
    block: Block, tmp_path: Path
) -> None:
    """A host holds the gradients once, as carried, in the memory that a guest gets for it."""
    file = tmp_path / "document.yaml"
    file.write_text(block.text)
    default = load_workload(DEFAULT)
    assert isinstance(default, Training)
    assert default.gradient_bytes / load_topology(file).scale_bytes < BYTES_PER_HOST


@pytest.mark.parametrize("block", FRAGMENTS, ids=str)
def test_every_fragment_fits_into_a_topology(block: Block, tmp_path: Path) -> None:
    shutil.copy(ROOT / "topologies" / "colossus.yaml", tmp_path)
    file = tmp_path / "document.yaml"
    heading = "longhaul: 1\nname: whole\ninclude: colossus.yaml\n"
    aging = "links: {c1-c2: {margin: 1dB, aging: loss}}\n"  # so that `drift` has something to do
    file.write_text(heading + aging + block.text)
    assert make_plan(load_topology(file)).hosts


@pytest.mark.parametrize("block", EXAMPLES, ids=str)
def test_every_python_example_compiles(block: Block) -> None:
    compile(block.text, str(block), "exec")


def test_every_file_that_a_book_names_exists() -> None:
    """Paths of the checkout, in backticks or as links."""
    tops = "scenario|longhaul|controller|traffic|analysis|topologies|tests|bench|labs|docs|studies"
    named = [
        (book.name, found)
        for book in BOOKS
        for found in re.findall(rf"`((?:{tops})/[\w./-]+)`", book.read_text(encoding="utf-8"))
    ]
    assert named
    assert [(book, path) for book, path in named if not (ROOT / path.split(":")[0]).exists()] == []


@pytest.mark.parametrize("book", BOOKS, ids=lambda book: str(book.name))
def test_every_link_between_books_leads_somewhere(book: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", book.read_text(encoding="utf-8"))
    assert [link for link in links if not os.path.exists(book.parent / link)] == []  # noqa: PTH110
