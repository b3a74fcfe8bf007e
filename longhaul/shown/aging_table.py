"""The aging model's answers for people and programs: `longhaul aging` prints what is made here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table as Rows

from analysis import units
from analysis.pictures import ages
from analysis.pictures.charts import Points
from scenario.loading import Aged, Span, aging_table
from scenario.text.units import YEAR_S
from scenario.topology.aging import drawn
from scenario.topology.links import MOST_LOSS

DRAWN = 400


@dataclass(frozen=True)
class Table:
    """What is asked: spans that differ in their condition, at ages in years.

    `rate_bps` is the links' rate when new, None where it does not matter; `mode` is as in the language.
    """

    spans: tuple[Span, ...]
    years: tuple[float, ...]
    mode: str
    rate_bps: float | None
    packet_bytes: int

    def states(self, span: Span) -> tuple[Aged, ...]:
        """The span at every age."""
        ages_s = [year * YEAR_S for year in self.years]
        return aging_table(span, ages_s, self.mode, self.packet_bytes)


def to_json(table: Table) -> list[dict[str, Any]]:
    """One object per condition and age, in SI units; `down`: it carries next to nothing."""
    return [
        {"condition": span.condition, "distance_m": span.distance_m, "margin_db": span.margin_db}
        | asdict(state)
        | {"down": state.packet_loss > MOST_LOSS}
        | ({"rate_bps": table.rate_bps * state.rate_share} if table.rate_bps else {})
        for span in table.spans
        for state in table.states(span)
    ]


def print_table(table: Table, console: Console) -> None:
    """A table and a small plot: all about one condition, or the outcome of several side by side."""
    title = f"{_title(table)}, packets of {table.packet_bytes} B"
    rows = _whole(table, title) if len(table.spans) == 1 else _side_by_side(table, title)
    console.print(rows)
    console.print("\n".join(ages.sketch(_lines(table), _frame(table))))
    names = zip(ages.MARKS, table.spans, strict=False)
    marked = ", ".join(f"{mark} {span.condition}" for mark, span in names)
    console.print(f"{'':>8}{_frame(table).name}: {marked}\n")
    cuts = table.states(table.spans[0])[0].cuts_per_year
    console.print(f"Such a cable is cut {cuts:.2g} times a year. What this rests on: docs/dsl.md")


def print_spread(table: Table, console: Console) -> None:
    """Of so many links with drawn margins and conditions, how many are at each rate; or the losses of the lucky, the
    middle and the unlucky."""
    what = "links at each rate" if table.mode == "step" else "loss: 5 %, 50 %, 95 % of links"
    heads = [f"{span.condition}: {what}" for span in table.spans]
    rows = _rows(f"{_title(table)}, {DRAWN} links drawn", "age", *heads)
    for year in table.years:
        rows.add_row(f"{year:g} y", *(_spread(table, span, year) for span in table.spans))
    console.print(rows)
    console.print("Margins and growth by their ranges, which are assumptions: docs/dsl.md, Aging.")


def _spread(table: Table, span: Span, year: float) -> str:
    states = [
        aging_table(one, [year * YEAR_S], table.mode, table.packet_bytes)[0]
        for one in drawn(span, DRAWN)
    ]
    if table.mode == "step":
        counted = Counter(_left(table, state) for state in states)
        return ", ".join(f"{count / DRAWN:.0%} {left}" for left, count in counted.most_common())
    losses = sorted(state.packet_loss for state in states)
    return ", ".join(f"{losses[int(share * (DRAWN - 1))]:.0e}" for share in (0.05, 0.5, 0.95))


def picture(table: Table) -> str:
    """The plot as SVG."""
    return ages.svg(_lines(table), _frame(table), _title(table))


def _title(table: Table) -> str:
    span = table.spans[0]
    condition = f", {span.condition}" if len(table.spans) == 1 else ""
    return f"{units.distance(span.distance_m)} of fibre, {span.margin_db:g} dB of margin{condition}"


def _frame(table: Table) -> ages.Axes:
    return ages.LOSS if table.mode == "loss" else ages.RATE


def _lines(table: Table) -> list[ages.LabelledLine]:
    if table.mode == "step":
        return [
            ages.LabelledLine(span.condition, _points(table, span, _share)) for span in table.spans
        ]
    return [
        ages.LabelledLine(span.condition, ages.decades(_points(table, span, _lost)))
        for span in table.spans
    ]


def _points(table: Table, span: Span, value: Callable[[Aged], float]) -> Points:
    return list(zip(table.years, map(value, table.states(span)), strict=True))


def _share(state: Aged) -> float:
    return state.rate_share


def _lost(state: Aged) -> float:
    return state.packet_loss


def _whole(table: Table, title: str) -> Rows:
    """One condition, with every link of the chain from loss in the glass to loss of packets."""
    head = ("age", "span loss", "SNR", "pre-FEC BER", "codewords lost", "packets lost", "rate left")
    rows = _rows(title, *head)
    for year, state in zip(table.years, table.states(table.spans[0]), strict=True):
        rows.add_row(
            f"{year:g} y",
            f"{state.span_loss_db:.2f} dB",
            f"{state.snr_db:.1f} dB",
            f"{state.ber:.1e}",
            f"{state.codeword_failure:.1e}",
            f"{state.packet_loss:.1e}",
            _left(table, state),
        )
    return rows


def _side_by_side(table: Table, title: str) -> Rows:
    """Several conditions, each with what becomes of packets or rate."""
    rows = _rows(title, "age", *(f"{span.condition}: {_frame(table).name}" for span in table.spans))
    columns = [table.states(span) for span in table.spans]
    for year, *states in zip(table.years, *columns, strict=True):
        rows.add_row(f"{year:g} y", *(_outcome(table, state) for state in states))
    return rows


def _rows(title: str, *head: str) -> Rows:
    rows = Rows(title=title, title_justify="left", box=box.SIMPLE_HEAD, show_edge=False)
    for column in head:
        rows.add_column(column, justify="right")
    return rows


def _outcome(table: Table, state: Aged) -> str:
    if table.mode == "step":
        return _left(table, state)
    return "down" if state.packet_loss > MOST_LOSS else units.ratio(state.packet_loss)


def _left(table: Table, state: Aged) -> str:
    if state.packet_loss > MOST_LOSS:
        return "down"
    if table.rate_bps:
        return units.rate(table.rate_bps * state.rate_share)
    return units.percent(state.rate_share)
