"""`longhaul import`: traces of real training in, a workload file out."""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from longhaul.verbs.arguments import Verbs, number, verb
from longhaul.verbs.printing import form, tell
from scenario.text.digits import is_whole

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from traffic.traces.assembling import Imported

MOST_SHOWN = 16
NUMBERS = ("count", "bytes in all", "smallest", "largest", "ranks")


def add(verbs: Verbs) -> None:
    """The verb and its arguments."""
    made = verb(
        verbs, "import", import_, "make a workload of traces: Chakra, PyTorch, Kineto, ASTRA-sim, SimAI",
        "longhaul import rank*.pt.trace.json -o job.yaml --ranks-per-host 8",
    )  # fmt: skip
    made.add_argument(
        "files", nargs="+", type=Path, metavar="FILE",
        help="one per rank, in the order of ranks where neither name nor content says them; may be gzipped",
    )  # fmt: skip
    made.add_argument(
        "-o", "--out", "--output", dest="output", type=Path, metavar="WORKLOAD.yaml",
        help="write the workload, and the trace beside it (default: only say what is understood)",
    )  # fmt: skip
    made.add_argument(
        "--ranks", type=_ranks, metavar="N",
        help="how many ranks there are; those without a file repeat the nearest lower one that has",
    )  # fmt: skip
    made.add_argument(
        "--ranks-per-host", type=number, default=1, metavar="K",
        help="so many ranks live in one host, where talking costs nothing (default 1)",
    )  # fmt: skip
    made.add_argument(
        "--step", type=int, metavar="N", help="of a Kineto profile, take ProfilerStep#N alone"
    )
    form(made)


def import_(words: argparse.Namespace) -> int:
    """Read, say what was understood, write. Raises InvalidInput."""
    from traffic.traces.account import account
    from traffic.traces.assembling import assemble
    from traffic.traces.reading import read_all

    imported = assemble(read_all(words.files, words.step), words.ranks)
    said = account(imported)
    tell(words, lambda: said, lambda out: _print(said, out))
    if words.output is None:
        return 0
    return _write(imported, words)


def _write(imported: Imported, words: argparse.Namespace) -> int:
    from longhaul.folder import Unwritable
    from traffic.traces.writing import write

    try:
        workload, trace = write(imported, words.output, words.ranks_per_host)
    except OSError as error:
        raise Unwritable(words.output, error) from None
    if words.format == "text":
        hosts = -(-len(imported.trace.ranks) // words.ranks_per_host)
        print(f"workload {workload}, of {hosts} hosts, and its trace {trace.name}")
    return 0


def _print(said: dict[str, Any], out: Console) -> None:
    _print_files(said, out)
    _print_collectives(said, out)
    seconds = said["compute_s"]
    out.print(
        f"{said['ranks']} ranks, {said['groups']} groups, {said['nodes']} nodes; compute"
        f" with its launch gaps {seconds['least']:.6g} to {seconds['most']:.6g} s per rank"
    )
    if said["measured"]:
        out.print(_measured(said["measured"]))
    notes = [note for file in said["files"] for note in file["notes"]] + said["notes"]
    for note in dict.fromkeys(notes):
        out.print(f"note: {note}")


def _measured(ranks: list[dict[str, float]]) -> str:
    mean = {key: sum(rank[key] for rank in ranks) / len(ranks) for key in ranks[0]}
    return (
        f"measured, mean of the ranks: kernels that compute {mean['compute_s']:.6g} s, communication"
        f" {mean['communication_s']:.6g} s, {mean['exposed_communication_s']:.6g} s of it exposed"
    )


def _print_files(said: dict[str, Any], out: Console) -> None:
    """A line per file, then what became of all that stands in them."""
    files = _table("Files", "rank", "file", "format")
    for file in said["files"][:MOST_SHOWN]:
        rank = "all" if file["rank"] is None else str(file["rank"])
        files.add_row(rank, Path(file["file"]).name, file["format"])
    out.print(files)
    if len(said["files"]) > MOST_SHOWN:
        out.print(f"… and {len(said['files']) - MOST_SHOWN} more")
    for title, key in (("Understood", "kept"), ("Not understood, or not needed", "ignored")):
        totals: Counter[str] = Counter()
        for file in said["files"]:
            totals.update(file[key])
        table = _table(title, "count", "what")
        for what, count in totals.most_common():
            table.add_row(f"{count:,}", what)
        if totals:
            out.print(table)


def _table(title: str, *columns: str) -> Table:
    from rich.table import Table

    made = Table(title=title, title_justify="left", box=None, header_style="bold")
    for column in columns:
        made.add_column(column, justify="right" if column in NUMBERS else "left", overflow="fold")
    return made


def _print_collectives(said: dict[str, Any], out: Console) -> None:
    table = _table(
        "Collectives of one iteration, sizes as nccl-tests counts them",
        "collective", "count", "bytes in all", "smallest", "largest", "ranks", "types",
    )  # fmt: skip
    for one in said["collectives"]:
        sizes = (f"{one[f'{key}_bytes']:,}" for key in ("size", "smallest", "largest"))
        ranks = ", ".join(map(str, one["ranks"][:8]))
        table.add_row(one["op"], f"{one['count']:,}", *sizes, ranks, ", ".join(one["dtypes"]))
    out.print(table if said["collectives"] else "No communication was found.")


def _ranks(text: str) -> int:
    if not is_whole(text) or not 1 <= int(text) <= 100_000:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 to 100000")
    return int(text)
