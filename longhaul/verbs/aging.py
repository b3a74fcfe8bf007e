"""`longhaul aging`: what the aging model says of a span, year by year."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from longhaul.verbs.arguments import Verbs, quantity, verb
from longhaul.verbs.printing import printed, tell
from scenario.text.digits import is_whole

if TYPE_CHECKING:
    from longhaul.shown.aging_table import Table

CONDITIONS = ("dry", "damp", "waterlogged")
TECHNOLOGIES = ("pam4", "400zr", "400zr+", "flexible", "100g", "10g")
OLDEST_Y = 100.0
MOST_ROWS = 1000
# As in the language of topologies.
MOST_DISTANCE_M, MOST_RATE_BPS = 5e7, 1e15
LEAST_MTU, MOST_MTU = 576, 9216


def add(verbs: Verbs) -> None:
    """The verb and its arguments."""
    made = verb(
        verbs, "aging", aging, "tabulate and plot what age does to a link",
        "longhaul aging --distance 16km --age 0..25 --margin 1dB",
    )  # fmt: skip
    made.add_argument(
        "--distance",
        type=quantity("distance", MOST_DISTANCE_M),
        required=True,
        help="of fibre: 16km, 10mi",
    )
    made.add_argument(
        "--age", type=ages, default="0..30", metavar="YEARS",
        help="as 20, 0..25, or 0..50:5 in steps of five years (default 0..30)",
    )  # fmt: skip
    made.add_argument("--condition", choices=CONDITIONS, help="default: each of them")
    made.add_argument(
        "--margin", type=quantity("ratio in decibels"), default=3.0, help="when new (default 3dB)"
    )
    made.add_argument(
        "--mode", choices=("loss", "step"), default="loss",
        help="lose packets at full rate, or step down to a rate that closes (default loss)",
    )  # fmt: skip
    made.add_argument(
        "--technology", choices=TECHNOLOGIES,
        help="of the optics (default: pam4, or flexible where it steps)",
    )  # fmt: skip
    made.add_argument(
        "--spread", action="store_true",
        help="draw margins and conditions by their spread: how many of 400 links stand where",
    )  # fmt: skip
    made.add_argument("--rate", type=quantity("rate", MOST_RATE_BPS), help="when new, as 400G")
    made.add_argument("--mtu", type=mtu, default=9000, help="packets of so many bytes (9000)")
    printed(made)
    made.add_argument("--plot", type=Path, metavar="FILE.svg", help="draw it into a file too")


def aging(words: argparse.Namespace) -> int:
    """Print the table and a small plot, or JSON; draw the picture."""
    from longhaul.folder import write_output
    from longhaul.shown.aging_table import picture, print_spread, print_table, to_json

    table = _table(words)
    draw = print_spread if words.spread else print_table
    tell(words, lambda: to_json(table), lambda out: draw(table, out))
    if words.plot:
        write_output(words.plot, picture(table))
    return 0


def _table(words: argparse.Namespace) -> Table:
    from longhaul.shown.aging_table import Table
    from scenario.loading import Span

    conditions = (words.condition,) if words.condition else CONDITIONS
    spans = tuple(
        Span(words.distance, 0.0, name, words.margin, words.technology) for name in conditions
    )
    return Table(spans, words.age, words.mode, words.rate, words.mtu)


def ages(text: str) -> tuple[float, ...]:
    """Years, as argparse's `type`: `20`, `0..25`, `0..50:5`, each number with or without `y`."""
    whole, _, step = text.partition(":")
    first, dots, last = whole.partition("..")
    try:
        low, high = _years(first), _years(last if dots else first)
        every = _years(step) if step else 1.0
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not years such as 20, 0..25, 0..50:5"
        ) from None
    if not 0 <= low <= high <= OLDEST_Y or every <= 0 or (high - low) / every > MOST_ROWS:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not within 0 to {OLDEST_Y:g} years, in steps"
        )
    count = int((high - low) / every + 1e-9) + 1
    return tuple(low + index * every for index in range(count))


def mtu(text: str) -> int:
    """Bytes of a packet, as argparse's `type`."""
    if not is_whole(text) or not LEAST_MTU <= int(text) <= MOST_MTU:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a whole number from {LEAST_MTU} to {MOST_MTU}"
        )
    return int(text)


def _years(text: str) -> float:
    return float(text.strip().removesuffix("y"))
