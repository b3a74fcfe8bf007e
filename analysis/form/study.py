"""`study.json`: what the points of a study say together, and THE definition of its keys.

Figures are SI. An interval is 95 %, over points and seeds; null where too few say anything of the spread.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import field

from analysis.form.parts import Count, Form, Share, doc

FILE = "study.json"
VERSION = 1
Ends = Annotated[tuple[float, float] | None, doc("95 % confidence interval: low, high.")]


class VariedThing(Form, frozen=True):
    """Something varied."""

    path: Annotated[str, doc("As the study writes it.")]
    usual: Annotated[str, doc("Its value where something else is varied.")]
    over: Annotated[str, doc("What it is varied over, in words.")]


class LevelMean(Form, frozen=True):
    """A figure at one value of something varied, or in one part of its range, whatever the others are."""

    label: Annotated[str, doc("The value, or the part of the range.")]
    mean: Annotated[float, doc("Mean over all points there.")]
    interval: Ends
    count: Annotated[Count, doc("Rows that say so.")]


class Effect(Form, frozen=True):
    """What something varied does to a figure."""

    path: Annotated[str, doc("What is varied.")]
    levels: Annotated[list[LevelMean], doc("From its least value to its largest.")]
    low: Annotated[float, doc("The least of their means.")]
    high: Annotated[float, doc("The largest of them.")]

    @property
    def span(self) -> float:
        """From the least mean to the largest."""
        return self.high - self.low


class Index(Form, frozen=True):
    """Sobol' indices: shares of a figure's variance [Saltelli et al. 2010]."""

    path: Annotated[str, doc("What is varied.")]
    first: Annotated[float, doc("What it does alone.")]
    first_interval: Annotated[float, doc("Half of its 95 % interval.")]
    total: Annotated[float, doc("With all that it does together with others.")]
    total_interval: Annotated[float, doc("Half of its 95 % interval.")]


class Elementary(Form, frozen=True):
    """Morris' elementary effects, of the whole range."""

    path: Annotated[str, doc("What is varied.")]
    mu_star: Annotated[float, doc("Mean size of the effect.")]
    mu_star_interval: Annotated[float, doc("Half of its 95 % interval.")]
    sigma: Annotated[float, doc("How much it depends on where the others are.")]


class Together(Form, frozen=True):
    """What two things varied do beyond what each does alone, as a share of the variance."""

    a: Annotated[str, doc("The one.")]
    b: Annotated[str, doc("The other.")]
    share: Annotated[
        float, doc("Of the figure's variance; Sobol' second order, or of a grid's cells.")
    ]
    interval: Annotated[float | None, doc("Half of its 95 % interval.")]


class HeatCell(Form, frozen=True):
    """The mean of a figure at two values."""

    mean: Annotated[float | None, doc("Null where there is no point.")]
    interval: Ends
    count: Annotated[Count, doc("Rows.")]
    down: Annotated[Count, doc("Rows beside them in which a link is down.")] = 0


class Heat(Form, frozen=True):
    """A figure over the two things varied that move it most."""

    across: Annotated[str, doc("What its columns are values of.")]
    down: Annotated[str, doc("What its rows are values of.")]
    columns: Annotated[list[str], doc("Labels.")]
    rows: Annotated[list[str], doc("Labels.")]
    cells: Annotated[list[list[HeatCell]], doc("By row.")]


class AtPoint(Form, frozen=True):
    """A point, by its number, with its values in words."""

    point: Annotated[Count, doc("Its number.")]
    value: Annotated[float, doc("The figure there.")]
    says: Annotated[str, doc("What is varied, and its value.")]
    run: Annotated[str | None, doc("Its run folder, from the study's; null where none was kept.")]


class FigureFound(Form, frozen=True):
    """One figure of a study."""

    name: Annotated[str, doc("Its path in summary.json, or lost.")]
    unit: Annotated[str, doc("s, 1 of a share, and so on; empty of a count.")]
    mean: Annotated[float, doc("Over all rows.")]
    least: Annotated[AtPoint, doc("Where it is least.")]
    most: Annotated[AtPoint, doc("Where it is largest.")]
    effects: Annotated[list[Effect], doc("By span, the largest first.")]
    indices: Annotated[list[Index], doc("Empty but for a design of sobol.")]
    elementary: Annotated[list[Elementary], doc("Empty but for a design of morris.")]
    together: Annotated[list[Together], doc("Pairs, the strongest first.")]
    heat: Annotated[Heat | None, doc("Null where one thing is varied.")]


class Boundary(Form, frozen=True):
    """The verdict over the two things varied that turn it most."""

    across: Annotated[str, doc("What its columns are values of.")]
    down: Annotated[str, doc("What its rows are values of.")]
    columns: Annotated[list[str], doc("Labels.")]
    rows: Annotated[list[str], doc("Labels.")]
    flipped: Annotated[
        list[list[float | None]], doc("Share of rows with another verdict than usual.")
    ]
    counts: Annotated[list[list[int]], doc("Rows in each cell.")]


class Turn(Form, frozen=True):
    """How often the verdict is another at the values of one thing varied."""

    path: Annotated[str, doc("What is varied.")]
    levels: Annotated[list[LevelMean], doc("Share of rows with another verdict than usual.")]
    span: Annotated[Share, doc("From the least share to the largest.")]


class VerdictFound(Form, frozen=True):
    """The verdict, and what turns it."""

    asked: Annotated[str, doc("The expression; or: the cause that costs most.")]
    usual: Annotated[str, doc("Where nothing is varied; else the most frequent one.")]
    counts: Annotated[dict[str, int], doc("Rows by verdict.")]
    flips: Annotated[Share, doc("Rows with another verdict than the usual one, of all.")]
    independent: Annotated[Count, doc("Rows that this share is of: those drawn by themselves.")]
    interval: Annotated[
        tuple[float, float] | None, doc("95 %, Wilson; null for points that nobody drew.")
    ]
    drawn: Annotated[bool, doc("Whether points were drawn, so that this share is a probability.")]
    turns: Annotated[list[Turn], doc("By span, the largest first.")]
    boundary: Annotated[
        Boundary | None, doc("Null where one thing is varied, or nothing turns it.")
    ]


class CheckedPoint(Form, frozen=True):
    """A point by the model and in the fabric."""

    point: Annotated[Count, doc("Its number.")]
    why: Annotated[str, doc("Why it was chosen.")]
    says: Annotated[str, doc("What is varied, and its value.")]
    model: Annotated[float, doc("By the model.")]
    fabric: Annotated[float | None, doc("In the fabric, mean over seeds; null where it failed.")]
    differ: Annotated[float | None, doc("fabric / model - 1; of a share fabric - model.")]
    faithful: Annotated[bool, doc("Whether every run was.")]
    run: Annotated[str | None, doc("Its run folder; null where none was kept.")]


class CheckedFigure(Form, frozen=True):
    """One figure, model against fabric."""

    name: Annotated[str, doc("Its path.")]
    unit: Annotated[str, doc("Its unit.")]
    worst: Annotated[float | None, doc("The largest difference, without its sign.")]
    within: Annotated[bool, doc("Whether all differ by no more than allowed.")]
    points: Annotated[list[CheckedPoint], doc("By number.")]


class SampleFound(Form, frozen=True):
    """Whether the model is to be believed here."""

    differ: Annotated[Share, doc("Allowed.")]
    wanted: Annotated[Count, doc("Points to be carried out.")]
    done: Annotated[Count, doc("Of them, those that were.")]
    concludes: Annotated[bool, doc("All were, faithfully, and differ by no more than allowed.")]
    figures: Annotated[list[CheckedFigure], doc("Each figure that was held against each other.")]


class StudyFindings(Form, frozen=True, kw_only=True):
    """The answer of a study."""

    version: Annotated[int, msgspec.Meta(ge=VERSION, le=VERSION)] = VERSION
    headline: Annotated[str, doc("In one sentence.")]
    name: Annotated[str, doc("Of the study.")]
    description: Annotated[str, doc("What it is to find out.")]
    design: Annotated[str, doc("grid, sobol and so on.")]
    depth: Annotated[str, doc("fabric or model.")]
    seeds: Annotated[Count, doc("Runs of each point.")]
    points: Annotated[Count, doc("Of the design.")]
    excluded: Annotated[Count, doc("Left out by constraints.")]
    done: Annotated[Count, doc("Rows.")]
    failed: Annotated[dict[str, int], doc("Rows, by reason.")]
    down: Annotated[Count, doc("Rows in which a link carries nothing; in no mean.")] = 0
    missing: Annotated[Count, doc("Rows that a budget left out, or that are still to be made.")]
    varied: Annotated[list[VariedThing], doc("In the study's order.")]
    measured: Annotated[list[FigureFound], doc("In the study's order.")]
    verdict: Annotated[VerdictFound | None, doc("Null where none was asked for.")]
    sample: Annotated[SampleFound | None, doc("Null where every point was carried out.")]
    notes: Annotated[list[str], doc("What hampers the answer.")] = field(default_factory=list)
    command: Annotated[str, doc("That does the same again.")] = ""
