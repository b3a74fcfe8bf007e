"""What a reader makes of one file: one rank's nodes as the file numbers them, and an account of it.

In between: `graph.ordered` puts the nodes into the order of the common form, `assembling.assemble` the ranks
together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from scenario.text.diagnostics import Diagnostic, InvalidInput, printable
from traffic.traces.form import Busy, Compute, Op, TimeSpan, TracedTransfer

EVERYBODY: tuple[int, ...] = ()
"""The ranks of a group that is the whole world, before it is known how large that is."""


MOST_LISTED = 5_000_000


@dataclass(frozen=True)
class GroupKey:
    """A process group: its name in the file, and its ranks (EVERYBODY: all there are)."""

    name: str
    ranks: tuple[int, ...] = EVERYBODY


@dataclass(frozen=True)
class GroupWork:
    """A collective as a file has it.

    `input_bytes` is what this rank puts in; `whole` says that the file gave the common form's size
    outright. `root` and `sends` as in the common form.
    """

    op: Op
    input_bytes: int
    group: GroupKey
    dtype: str = ""
    root: int = 0
    sends: tuple[int, ...] = ()
    whole: bool = False

    def size_bytes(self, ranks: int) -> int:
        """As nccl-tests counts it, in a group of so many."""
        gathers = self.op == "all_gather" and not self.whole
        return self.input_bytes * ranks if gathers else self.input_bytes


RawWork: TypeAlias = Compute | GroupWork | TracedTransfer | None


@dataclass
class RawNode:
    """A node as a file has it: `after` are the keys of other nodes; no `work` costs nothing."""

    key: Hashable
    name: str
    work: RawWork
    after: list[Hashable] = field(default_factory=list)
    stream: str = "compute"
    measured: TimeSpan | None = None


@dataclass
class Recording:
    """One file's nodes and account.

    `rank` and `world` are None where the file does not say. `everybody`: the file is the program of each
    rank, not of one. `origin_ns` is when, by the file's own clock, its measured times begin,
    `busy` what its GPU did when. `kept` and
    `ignored` count the file's own items by what became of them.
    """

    file: Path
    format: str
    rank: int | None = None
    world: int | None = None
    everybody: bool = False
    origin_ns: int | None = None
    busy: Busy | None = None
    nodes: list[RawNode] = field(default_factory=list)
    kept: Counter[str] = field(default_factory=Counter)
    ignored: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
    listed: int = 0

    def group(self, name: str, ranks: tuple[int, ...]) -> GroupKey:
        """A process group of this file. Raises InvalidInput where all together are more than a file can mean."""
        self.listed += len(ranks)
        if self.listed > MOST_LISTED:
            raise rejected(
                self.file, "its process groups are too many or too large", path=name,
                found=f"over {MOST_LISTED:,} ranks in all",
            )  # fmt: skip
        return GroupKey(name, ranks)

    def note(self, text: str) -> None:
        """Say something of the whole file, once."""
        if text not in self.notes:
            self.notes.append(text)


def rejected(  # noqa: PLR0913 - as many as a complaint has parts
    file: Path,
    message: str,
    *,
    path: str = "",
    found: str = "",
    expected: str = "",
    hint: str = "",
    place: tuple[int, int] = (1, 1),
) -> InvalidInput:
    """A complaint about a place (line, column) in a file."""
    texts = [printable(text) for text in (message, path, found, expected, hint)]
    return InvalidInput([Diagnostic(str(file), *place, *texts)])
