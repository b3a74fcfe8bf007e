"""The rows of a study as CSV for programs, as Markdown for an issue, as a LaTeX table for a paper.

In: findings, rows, units. Out: text. Of Markdown and LaTeX it is a row per point: the mean over its seeds.
"""

from __future__ import annotations

import polars as pl

from analysis.export.tabular import cell, code, harmless
from analysis.form.study import StudyFindings
from analysis.legible import legible

_LATEX = {"&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}"}
_LATEX |= {"~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "\\": r"\textbackslash{}"}


def csv(_: StudyFindings, rows: pl.DataFrame, units: dict[str, str]) -> str:
    """All rows with a header (RFC 4180): a column's unit stands in brackets."""
    return harmless(rows.rename({name: _headed(name, units) for name in rows.columns})).write_csv()


def markdown(found: StudyFindings, rows: pl.DataFrame, units: dict[str, str]) -> str:
    """The headline, and a row per point."""
    table = _means(found, rows)
    heads = [cell(_headed(name, units)) for name in table.columns]
    lines = [
        heads,
        ["---"] * table.width,
        *([cell(_shown(v)) for v in row] for row in table.iter_rows()),
    ]
    body = ["| " + " | ".join(line) + " |" for line in lines]
    return "\n".join([f"**{cell(found.headline)}**", "", *body, "", code(found.command), ""])


def latex(found: StudyFindings, rows: pl.DataFrame, units: dict[str, str]) -> str:
    """A table environment with booktabs' rules."""
    table = _means(found, rows)
    lines = [[_escaped(_headed(name, units)) for name in table.columns]]
    lines += [[_escaped(_shown(value)) for value in row] for row in table.iter_rows()]
    head, *body = [" & ".join(line) + r" \\" for line in lines]
    columns = "".join("l" if dtype == pl.String else "r" for dtype in table.dtypes)
    return "\n".join(
        [
            r"\begin{table}", r"\centering", rf"\caption{{{_escaped(found.headline)}}}",
            rf"\begin{{tabular}}{{{columns}}}", r"\toprule", head, r"\midrule", *body, r"\bottomrule",
            r"\end{tabular}", r"\end{table}", "",
        ]
    )  # fmt: skip


def _means(found: StudyFindings, rows: pl.DataFrame) -> pl.DataFrame:
    """What is varied and measured, by point; means over seeds, of those that are done."""
    varied = [one.path for one in found.varied]
    measured = [one.name for one in found.measured]
    done = rows.filter((pl.col("status") == "done") & (pl.col("depth") == found.depth))
    means = [pl.col(name).mean() for name in measured]
    means += [pl.col("verdict").first()] if "verdict" in rows.columns else []
    return (
        done.group_by("point", *varied, maintain_order=True).agg(*means).sort("point").drop("point")
    )


def _headed(name: str, units: dict[str, str]) -> str:
    unit = units.get(name)
    return f"{name} [{unit}]" if unit else name


def _shown(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else "" if value is None else str(value)


def _escaped(text: str) -> str:
    """Text on one line. What begins with a bracket or star would be an option of the line break before it."""
    words = " ".join(legible(text).split())
    guard = "{}" if words.startswith(("[", "*")) else ""
    return guard + "".join(_LATEX.get(character, character) for character in words)
