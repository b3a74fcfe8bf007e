"""`longhaul schedule`: what a collective's algorithm does, step by step."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from longhaul.verbs.arguments import Verbs, verb
from longhaul.verbs.bench import OPS, count, size
from longhaul.verbs.printing import printed, put
from scenario.errors import WrongInput

if TYPE_CHECKING:
    from traffic.collectives import Layout, Options
    from traffic.collectives.drawing import Drawn

MOST_DRAWN, MOST_RANKS = 256, 4096


def add(verbs: Verbs) -> None:
    """The verb and its arguments."""
    made = verb(
        verbs, "schedule", schedule, "print or draw what a collective does, step by step",
        "longhaul schedule tree -n 8 --format svg > tree.svg",
    )  # fmt: skip
    made.add_argument(
        "algorithm",
        help="its name; or one of your own: FILE.yaml, or FILE.py:FUNCTION (see docs/collectives.md)",
    )
    made.add_argument("--op", choices=OPS, default=OPS[0], help=f"default {OPS[0]}")
    made.add_argument(
        "-n", "--ranks", type=count, help="how many (default 4, or as many as --campuses has)"
    )
    made.add_argument(
        "--campuses",
        type=counts,
        metavar="N,…",
        help="ranks in each campus, as 4,4,2 (default: one)",
    )
    made.add_argument("--size", type=size, help="bytes (default: 4 per rank and rank)")
    made.add_argument("--segment", type=size, metavar="SIZE", help="cut longer messages")
    made.add_argument("--channels", type=count, default=1, help="connections per pair (default 1)")
    made.add_argument("--root", type=int, default=0, help="of broadcast and reduce (default 0)")
    made.add_argument("--servers", type=count, default=1, help="parameter servers (default 1)")
    made.add_argument("--inner", default="ring", help="algorithm inside a campus (hierarchical)")
    made.add_argument("--outer", default="ring", help="algorithm across campuses (hierarchical)")
    made.add_argument("--order", choices=("campus", "rank", "interleaved"), default="campus")
    printed(made, "svg", "yaml")


def schedule(words: argparse.Namespace) -> int:
    """Print a schedule."""
    from traffic.collectives import make_schedule
    from traffic.collectives.drawing import messages

    layout = layout_of(words)
    _check_ranks(words, layout.ranks)
    size_bytes = words.size or 4 * layout.ranks * layout.ranks
    try:
        made = make_schedule(words.op, words.algorithm, layout, size_bytes, options_of(words))
        drawn = messages(made)
    except ValueError as error:
        raise WrongInput(error) from None
    put(words, FORMATS[words.format](words, drawn, layout.ranks, size_bytes // 4 * 4) + "\n")
    return 0


def _check_ranks(words: argparse.Namespace, ranks: int) -> None:
    """Raises WrongInput for more than can be drawn, or than anybody waits for."""
    if ranks > MOST_DRAWN and words.format in ("text", "svg"):
        hint = f"--format json and yaml go up to {MOST_RANKS:,}"
        raise WrongInput(f"{ranks:,} ranks: at most {MOST_DRAWN} can be drawn side by side; {hint}")
    if ranks > MOST_RANKS:
        raise WrongInput(f"{ranks:,} ranks: at most {MOST_RANKS:,}")


def layout_of(words: argparse.Namespace) -> Layout:
    """The ranks, by campus."""
    from traffic.collectives import Layout

    if not words.campuses:
        return Layout.one_campus(words.ranks or 4)
    campuses = enumerate(words.campuses, start=1)
    return Layout(tuple(f"c{number}" for number, ranks in campuses for _ in range(ranks)))


def options_of(words: argparse.Namespace) -> Options:
    """How the algorithm is carried out."""
    from traffic.collectives import Options

    return Options(
        channels=words.channels,
        segment_bytes=words.segment,
        root=words.root,
        servers=words.servers,
        order=words.order,
        inner=words.inner,
        outer=words.outer,
    )


def counts(text: str) -> tuple[int, ...]:
    """Whole numbers, as argparse's `type`."""
    return tuple(count(word) for word in text.split(","))


def _table(words: argparse.Namespace, drawn: list[Drawn], ranks: int, size_bytes: int) -> str:
    """Steps downwards, ranks across."""
    from io import StringIO

    from rich import box
    from rich.console import Console
    from rich.table import Table

    from traffic.collectives.drawing import cells

    table = Table(box=box.SIMPLE_HEAD, title=_title(words, ranks, size_bytes), pad_edge=False)
    table.caption = "→3 8: sends 8 bytes to rank 3, +→3: which adds them"
    table.add_column("step", justify="right")
    for rank in range(ranks):
        table.add_column(str(rank), no_wrap=True)
    for number, row in enumerate(cells(drawn, ranks), start=1):
        table.add_row(str(number), *row)
    out = Console(file=StringIO(), width=max(80, 8 + 16 * ranks), markup=False)
    out.print(table)
    return out.file.getvalue().rstrip()  # type: ignore[attr-defined, no-any-return]


def _title(words: argparse.Namespace, ranks: int, size_bytes: int) -> str:
    return f"{words.op} by {words.algorithm}: {ranks} ranks, {size_bytes} bytes"


def _svg(words: argparse.Namespace, drawn: list[Drawn], ranks: int, size_bytes: int) -> str:
    from traffic.collectives.drawing import svg

    return svg(drawn, ranks, _title(words, ranks, size_bytes))


def _json(words: argparse.Namespace, drawn: list[Drawn], ranks: int, size_bytes: int) -> str:
    heading = {
        "op": words.op,
        "algorithm": words.algorithm,
        "ranks": ranks,
        "size_bytes": size_bytes,
    }
    listed = [
        {
            "step": x.step,
            "from": x.source,
            "to": x.sink,
            "kind": x.kind,
            "offset": x.piece.offset,
            "size": x.piece.size,
            "into": x.to,
            "channel": x.channel,
        }
        for x in drawn
    ]
    return json.dumps(heading | {"messages": listed}, indent=1)


def _yaml(words: argparse.Namespace, drawn: list[Drawn], ranks: int, size_bytes: int) -> str:
    import yaml

    from traffic.collectives.drawing import written

    name = f"{words.op}-{words.algorithm}".replace("_", "-")
    data = written(
        drawn, ranks, size_bytes, words.op, name if words.algorithm.isidentifier() else "own"
    )
    return str(yaml.safe_dump(data, sort_keys=False, default_flow_style=None, width=100)).rstrip()


FORMATS = {"text": _table, "svg": _svg, "json": _json, "yaml": _yaml}
