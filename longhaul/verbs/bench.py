"""`longhaul bench`: collectives measured one by one on a topology, tabulated as nccl-tests does."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from longhaul.machine import TIMES
from longhaul.verbs.arguments import Verbs, conditions, memory, names, patience, root, verb, where
from longhaul.verbs.printing import folder, form, tell
from longhaul.verbs.shape import topology
from scenario.text.digits import is_whole

if TYPE_CHECKING:
    from rich.console import Console

    import longhaul as lh

OPS = (
    "all_reduce", "reduce_scatter", "all_gather", "broadcast", "reduce", "all_to_all", "send_recv",
    "barrier",
)  # fmt: skip
TRANSPORTS = ("tcp", "roce")
Kind = Literal["tcp", "roce"]
SIZES = "64K:64M:x4"
MOST_SIZES = 100


def add(verbs: Verbs) -> None:
    """The verb and its arguments."""
    made = verb(
        verbs, "bench", bench, "measure collectives, as nccl-tests does, beside what α–β predicts",
        "longhaul bench topologies/two-hosts.yaml --algorithm ring,tree --sizes 1M:1G:x4 --check",
    )  # fmt: skip
    topology(made)
    made.add_argument("--collective", choices=OPS, default=OPS[0], help=f"default {OPS[0]}")
    made.add_argument(
        "--algorithm", dest="algorithms", type=names, default=("auto",), metavar="NAME,…",
        help="which to compare; auto is what the model thinks fastest, all is every one (default auto)",
    )  # fmt: skip
    made.add_argument(
        "--sizes", type=sizes, default=SIZES, metavar="FIRST:LAST:STEP",
        help="real-world sizes: 1K:1G:x4 multiplies, 1M:8M:1M adds, 1M,4M lists; K, M, G are 1024, 1024², "
        f"1024³, as nccl-tests has them (default {SIZES})",
    )  # fmt: skip
    made.add_argument("--iters", type=count, default=5, help="iterations that count (default 5)")
    made.add_argument("--warmup", type=natural, default=2, help="before them (default 2)")
    made.add_argument(
        "--check", action="store_true", help="carry real numbers, and count wrong results"
    )
    _connections(made)
    where(made, TIMES)
    root(made)
    memory(made)
    form(made)
    folder(made)
    patience(made, "progress")
    conditions(made, "bench.json")


def _connections(made: argparse.ArgumentParser) -> None:
    """How collectives are carried out."""
    made.add_argument(
        "--transport", dest="transports", type=transports, default=("tcp",), metavar="NAME,…",
        help="what carries the bytes: tcp, roce, or both, one after the other (default tcp)",
    )  # fmt: skip
    made.add_argument("--channels", type=count, default=1, help="connections per pair (default 1)")
    made.add_argument("--congestion", choices=("cubic", "reno", "bbr", "dctcp"), default="cubic")
    made.add_argument("--segment", type=size, metavar="SIZE", help="cut longer messages, as 128K")
    made.add_argument("--buffers", type=size, metavar="SIZE", help="of each socket, not scaled")
    made.add_argument("--inner", default="ring", help="algorithm inside a campus (hierarchical)")
    made.add_argument("--outer", default="ring", help="algorithm across campuses (hierarchical)")
    made.add_argument(
        "--order", choices=("campus", "rank", "interleaved"), default="campus", help="of a ring"
    )
    made.add_argument("--servers", type=count, default=1, help="parameter servers (default 1)")


def bench(words: argparse.Namespace) -> int:
    """Measure, print the table, name the folder."""
    from analysis.form.benchmark import benchmark_schema
    from longhaul.shown import progress
    from longhaul.verbs.judging import Judge

    judge = Judge(words, str(words.topology), benchmark_schema())
    found = []
    for kind in words.transports:
        with judge.watching(), progress.shown(quiet=words.quiet) as hear:
            found.append(measured(words, kind, _folder(words, kind), hear))
    tell(words, lambda: _json(found), lambda out: _draw(found, out))
    wrong = sum(row.wrong or 0 for one in found for row in one.results.rows)
    return judge.status(
        [one.as_dict() for one in found], f"{wrong} results were wrong" if wrong else ""
    )


def _json(found: list[lh.BenchRun]) -> Any:
    """What was measured; a list where that was over several transports."""
    told = [{"folder": str(one.path)} | one.as_dict() for one in found]
    return told[0] if len(told) == 1 else told


def _draw(found: list[lh.BenchRun], out: Console) -> None:
    for one in found:
        one.draw(out)
    out.print(f"run folder {', '.join(str(one.path) for one in found)}")


def measured(
    words: argparse.Namespace, kind: Kind, out: Path | None, hear: Callable[[Any], None]
) -> lh.BenchRun:
    """Measure over one transport."""
    import longhaul as lh

    return lh.bench(
        lh.Topology(words.topology.stem, words.topology, overrides=tuple(words.overrides)),
        words.collective,
        algorithms=words.algorithms,
        sizes_bytes=words.sizes,
        iterations=words.iters,
        warmup=words.warmup,
        verify=words.check,
        transport=kind,
        channels=words.channels,
        congestion=words.congestion,
        segment_bytes=words.segment,
        buffers_bytes=words.buffers,
        inner=words.inner,
        outer=words.outer,
        order=words.order,
        servers=words.servers,
        seed=words.seed,
        time=words.time,
        machine=words.machine,
        root=words.root,
        cpu=words.cpu,
        memory_bytes=words.memory_bytes,
        out=out,
        patience_s=words.patience,
        command=words.command,
        hear=hear,
    )


def _folder(words: argparse.Namespace, kind: str) -> Path | None:
    """Where a transport's run goes: with several, each to a folder with its name behind."""
    asked: Path | None = words.out
    if asked is None or len(words.transports) == 1:
        return asked
    return asked.with_name(f"{asked.name}-{kind}")


def transports(text: str) -> tuple[str, ...]:
    """Names of transports, each once, as argparse's `type`."""
    found = tuple(dict.fromkeys(text.split(",")))
    for name in found:
        if name not in TRANSPORTS:
            raise argparse.ArgumentTypeError(f"{name!r} is neither of {', '.join(TRANSPORTS)}")
    return found


def sizes(text: str) -> tuple[float, ...]:
    """FIRST:LAST:xFACTOR, FIRST:LAST:STEP or a list, in bytes, as argparse's `type`."""
    words = text.split(":")
    if len(words) == 1:
        return tuple(size(word) for word in text.split(","))
    if len(words) != 3:
        raise argparse.ArgumentTypeError(f"{text!r} is not FIRST:LAST:STEP, as {SIZES}")
    first, last = size(words[0]), size(words[1])
    step = words[2].lstrip("x×*")
    factor = step != words[2]
    found: list[float] = [first]
    grown = float(count(step)) if factor else size(step)
    if factor and grown < 2:
        raise argparse.ArgumentTypeError(f"{text!r} never ends: multiply by 2 or more")
    while (following := found[-1] * grown if factor else found[-1] + grown) <= last:
        found.append(following)
        if len(found) > MOST_SIZES:
            raise argparse.ArgumentTypeError(f"{text!r} are more than {MOST_SIZES} sizes")
    if last < first:
        raise argparse.ArgumentTypeError(f"{text!r} ends before it begins")
    return tuple(found)


def size(text: str) -> int:
    """A size in bytes: 64K, 1M, 25MiB, 1.5GB, 4096, as argparse's `type`."""
    from scenario.text import units

    if re.fullmatch(r"[\d.]+[KMGT]", text):
        text += "iB"
    elif re.fullmatch(r"\d+", text):
        text += "B"
    try:
        found = round(units.read(text, units.SIZE))
    except units.UnitError as error:
        raise argparse.ArgumentTypeError(f"{text!r}: {error.message}: {error.expected}") from None
    if found < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no size")
    return found


def count(text: str) -> int:
    """A whole number from 1 on, as argparse's `type`."""
    if not natural(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)


def natural(text: str) -> int:
    """A whole number, as argparse's `type`."""
    if not is_whole(text) or len(text) > 6:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number")
    return int(text)
