"""A study in the terminal. In: what was found. Out: rich tables of 80 columns."""

from __future__ import annotations

from rich.console import Console
from rich.panel import Panel
from rich.text import Text

from analysis import units
from analysis.form.study import FigureFound, StudyFindings
from analysis.studies.comparing import StudyComparison
from analysis.studies.headline import shown
from analysis.terminal.tables import captioned, table


def print_study(found: StudyFindings, out: Console) -> None:
    """The sentence, what moves the first figure, what turns the verdict, model against fabric."""
    out.print(Panel(Text(found.headline), title=Text(found.name, "bold")))
    for note in found.notes:
        out.print(Text(note, "yellow"))
    for why, count in list(found.failed.items())[:5]:
        out.print(Text(f"{units.counted(count, 'row')} failed: {why}", "yellow"))
    for one in found.measured[:2]:
        _print_effects(one, out)
    _print_verdict(found, out)
    _print_sample(found, out)


def _print_effects(one: FigureFound, out: Console) -> None:
    made = table(f"{one.name}: what moves its mean", "what is varied", "from", "to", *_heads(one))
    totals = {index.path: index for index in one.indices}
    for effect in one.effects:
        cells = [shown(effect.low, one.unit), shown(effect.high, one.unit)]
        if index := totals.get(effect.path):
            cells += [f"{index.first:.2f} ± {index.first_interval:.2f}"]
            cells += [f"{index.total:.2f} ± {index.total_interval:.2f}"]
        made.add_row(Text(effect.path), *cells)
    out.print(made)


def _heads(one: FigureFound) -> list[str]:
    return ["Sobol' first", "total"] if one.indices else []


def _print_verdict(found: StudyFindings, out: Console) -> None:
    if not found.verdict or not found.verdict.flips:
        return
    made = table("What turns the verdict", "what is varied", "least often", "most often", text=1)
    for turn in found.verdict.turns:
        ordered = sorted(turn.levels, key=lambda level: level.mean)
        cells = [
            f"{units.percent(level.mean)} at {level.label}" for level in (ordered[0], ordered[-1])
        ]
        made.add_row(Text(turn.path), *map(Text, cells))
    out.print(made)


def _print_sample(found: StudyFindings, out: Console) -> None:
    if not found.sample:
        return
    allowed = units.percent(found.sample.differ)
    made = table("Model against fabric", "figure", "points", "largest difference", "allowed")
    for one in found.sample.figures:
        carried = sum(point.fabric is not None for point in one.points)
        made.add_row(Text(one.name), str(carried), units.percent(one.worst), allowed)
    text = (
        "The model may be believed here."
        if found.sample.concludes
        else "The study does not conclude."
    )
    out.print(captioned(made, text))


def print_study_comparison(found: StudyComparison, out: Console) -> None:
    """Each figure at the points that both have, and how often the verdict is another."""
    title = f"{found.after} against {found.before}, {units.counted(found.rows, 'row')} in common"
    made = table(title, "figure", "before", "after", "difference", "95 %", "")
    for one in found.figures:
        low, high = one.interval or (None, None)
        between = f"{shown(low, one.unit)} … {shown(high, one.unit)}" if one.interval else ""
        cells = [
            shown(one.before, one.unit),
            shown(one.after, one.unit),
            shown(one.difference, one.unit),
        ]
        made.add_row(Text(one.name), *cells, between, "real" if one.real else "")
    out.print(made)
    for verdict, count in found.verdicts.items():
        out.print(Text(f"verdict {verdict}: {units.counted(count, 'row')}"))
    for name, count in zip((found.before, found.after), found.alone, strict=True):
        if count:
            out.print(Text(f"{units.counted(count, 'row')} of {name} alone", "dim"))
