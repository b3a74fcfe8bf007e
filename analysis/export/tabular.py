"""One table of a run's figures, as CSV for programs or as Markdown for a report or an issue.

In: a run and its summary. Out: text. Columns carry their unit in their names.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import polars as pl

from analysis.findings import hops
from analysis.findings.critical import critical_path
from analysis.findings.stalls import collective_times, iterations
from analysis.form.files import plain
from analysis.form.summary import TrainingSummary
from analysis.legible import legible
from analysis.run import Run

FORMULA = r"^(?:[=@\t\r]|[+-][^0-9.])"
"""What a spreadsheet takes for a formula, but for signed numbers. [OWASP, CSV Injection]"""
MARKUP = "\\`|[]*"
_WHO = ("rank", "name", "campus", "accelerator", "gpus")


def _ranks(_: Run, summary: TrainingSummary) -> pl.DataFrame:
    table = pl.DataFrame(plain(summary.stalls.by_rank))
    return table.select(*_WHO, pl.exclude(*_WHO))


def _iterations(run: Run, _: TrainingSummary) -> pl.DataFrame:
    return iterations(run)


def _collectives(run: Run, _: TrainingSummary) -> pl.DataFrame:
    return collective_times(run.measured)


def _pairs(run: Run, _: TrainingSummary) -> pl.DataFrame:
    return hops.pairs(run.messages, run.ranks)


def _links(run: Run, _: TrainingSummary) -> pl.DataFrame:
    return hops.between_campuses(run)


def _path(run: Run, _: TrainingSummary) -> pl.DataFrame:
    return critical_path(run)


TABLES: dict[str, Callable[[Run, TrainingSummary], pl.DataFrame]] = {
    "ranks": _ranks,
    "iterations": _iterations,
    "collectives": _collectives,
    "pairs": _pairs,
    "links": _links,
    "path": _path,
}
"""What can be had as a table, by name."""


def csv(run: Run, summary: TrainingSummary, name: str) -> str:
    """The table as CSV with a header (RFC 4180)."""
    return harmless(TABLES[name](run, summary)).write_csv()


def harmless(table: pl.DataFrame) -> pl.DataFrame:
    """A table whose texts a spreadsheet takes for texts: an apostrophe goes before what it would compute."""
    texts = pl.col(pl.String)
    heads = {name: inert(name) for name in table.columns}
    quoted = pl.when(texts.str.contains(FORMULA)).then(pl.lit("'") + texts).otherwise(texts)
    return table.with_columns(quoted.name.keep()).rename(heads)


def inert(text: str) -> str:
    """The same of a single text."""
    return f"'{text}" if re.match(FORMULA, text) else text


def rows(run: Run, summary: TrainingSummary, name: str) -> list[dict[str, Any]]:
    """The table row by row, for JSON."""
    return TABLES[name](run, summary).to_dicts()


def markdown(run: Run, summary: TrainingSummary, name: str) -> str:
    """The headline, the table, and what it takes to reproduce it."""
    table = TABLES[name](run, summary)
    rows = [table.columns, ["---"] * table.width, *map(_shown, table.iter_rows())]
    lines = ["| " + " | ".join(map(cell, row)) + " |" for row in rows]
    foot = f"{code(run.manifest['command'])}, seed {summary.seed}, digest `{summary.digest}`"
    return "\n".join([f"**{cell(summary.headline)}**", "", *lines, "", foot, ""])


def _shown(row: tuple[object, ...]) -> list[str]:
    return [f"{value:.6g}" if isinstance(value, float) else str(value) for value in row]


def cell(text: object) -> str:
    """Text that neither ends the cell nor is markup."""
    escaped = "".join(f"\\{one}" if one in MARKUP else one for one in legible(str(text)))
    return " ".join(escaped.replace("&", "&amp;").replace("<", "&lt;").split())


def code(text: object) -> str:
    """Text between backticks, which has none itself."""
    said = legible(str(text)).replace("`", "'").replace("<", "&lt;")
    return f"`{' '.join(said.split())}`"
