"""A study as one self-contained page. In: its findings. Out: `study.html`, beside the run folders that it links to."""

from __future__ import annotations

from pathlib import Path

from analysis import pages
from analysis.form.study import Boundary, Heat, StudyFindings
from analysis.pictures.studies import effect_plot, scatter, tornado, written
from analysis.studies.headline import shown

HALF = 0.5


def write_page(found: StudyFindings, path: Path) -> Path:
    """Write the page, whole or not at all, and return its path."""
    text = pages.render(
        "study.html.j2",
        found=found,
        headline=found.headline,
        shown=shown,
        drawn=[
            (one, tornado(one), [effect_plot(e, one) for e in one.effects])
            for one in found.measured
        ],
        written=written,
        heated=heated,
        matrix=matrix,
        turned=turned,
        scatters=[(one, scatter(one)) for one in (found.sample.figures if found.sample else [])],
    )
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(text, encoding="utf-8")
    partial.rename(path)
    return path


Heated = tuple[float | None, float, float | None, int, int]


def heated(heat: Heat) -> list[tuple[str, list[Heated]]]:
    """Rows of (label, cells of (mean, how hot from 0 to 1, half an interval, rows, rows in which a link is down))."""
    means = [cell.mean for row in heat.cells for cell in row if cell.mean is not None]
    low, high = min(means), max(means)
    rows = []
    for label, row in zip(heat.rows, heat.cells, strict=True):
        cells = []
        for cell in row:
            hot = 0.0 if cell.mean is None or high <= low else (cell.mean - low) / (high - low)
            half = (cell.interval[1] - cell.interval[0]) / 2 if cell.interval else None
            cells.append((cell.mean, hot, half, cell.count, cell.down))
        rows.append((label, cells))
    return rows


def turned(boundary: Boundary) -> list[tuple[str, list[tuple[float | None, int, str]]]]:
    """Rows of (label, cells of (share flipped, rows, which of its sides are the boundary))."""
    rows = []
    for i, label in enumerate(boundary.rows):
        cells = []
        for j, share in enumerate(boundary.flipped[i]):
            right = _other(share, _at(boundary, i, j + 1))
            below = _other(share, _at(boundary, i + 1, j))
            edges = " ".join(
                name for name, there in (("edge-right", right), ("edge-below", below)) if there
            )
            cells.append((share, boundary.counts[i][j], edges))
        rows.append((label, cells))
    return rows


def matrix(found: StudyFindings, number: int) -> list[tuple[str, list[float | None]]]:
    """Interactions of a figure: a row and a column for each thing varied."""
    shares = {frozenset((one.a, one.b)): one.share for one in found.measured[number].together}
    paths = [one.path for one in found.varied]
    return [(a, [shares.get(frozenset((a, b))) if a != b else None for b in paths]) for a in paths]


def _at(boundary: Boundary, row: int, column: int) -> float | None:
    if row < len(boundary.rows) and column < len(boundary.columns):
        return boundary.flipped[row][column]
    return None


def _other(a: float | None, b: float | None) -> bool:
    """Whether the verdict is mostly the usual one on one side, and mostly another one on the other."""
    return a is not None and b is not None and (a > HALF) != (b > HALF)
