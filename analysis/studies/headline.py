"""A study in one sentence. In: what was found. Out: text, no markup."""

from __future__ import annotations

from analysis import units
from analysis.form.study import FigureFound, StudyFindings, VerdictFound
from analysis.studies.ruling import NO, NOTHING, YES
from scenario.types.study import DOWN

ENOUGH = 0.01


def headline(found: StudyFindings) -> str:
    """The verdict and what turns it; else what moves the first figure most. A model that is not right says so first."""
    sample = found.sample
    if sample and not sample.concludes:
        return f"No conclusion: {_unproven(found)}."
    said = [_verdict(found.verdict)] if found.verdict else []
    said += [_moves(one) for one in found.measured[:1]]
    return " ".join(said) or "Nothing was measured."


def _unproven(found: StudyFindings) -> str:
    sample = found.sample
    assert sample
    if sample.done < sample.wanted or not sample.wanted:
        return (
            f"{sample.done} of {sample.wanted} points of the sample were carried out in the fabric"
        )
    apart = [one for one in sample.figures if not one.within]
    if apart:
        worst = max(apart, key=lambda one: one.worst or 0.0)
        allowed = units.percent(sample.differ)
        return f"model and fabric differ by {units.percent(worst.worst)} in {worst.name}, and {allowed} is allowed"
    return "some runs of the sample were unfaithful"


def _verdict(found: VerdictFound) -> str:
    if found.flips == 0 and found.usual in (YES, NO):
        return f"{found.asked} holds at {'every' if found.usual == YES else 'no'} point."
    usual = _usually(found)
    if found.flips == 0:
        return f"{usual}, at every point."
    low, high = found.interval or (found.flips, found.flips)
    chance = f"with a probability of {units.percent(low)} to {units.percent(high)}"
    share = chance if found.drawn else f"at {units.percent(found.flips)} of the points"
    turns = [one.path for one in found.turns[:2] if one.span > ENOUGH]
    by = f", turned most by {' and '.join(turns)}" if turns else ""
    return f"{usual}; {share} it is otherwise{by}."


def _usually(found: VerdictFound) -> str:
    if found.usual in (YES, NO):
        return f"Usually {found.asked} {'holds' if found.usual == YES else 'does not hold'}"
    if found.usual == NOTHING:
        return "Usually less than 1 % of the time is lost"
    if found.usual == DOWN:
        return "Usually a link is down"
    return f"Usually {found.usual} costs most of the time lost"


def _moves(one: FigureFound) -> str:
    least, most = shown(one.least.value, one.unit), shown(one.most.value, one.unit)
    if one.least.value == one.most.value:
        return f"{one.name} is {least} at every point."
    first = one.effects[0]
    low, high = shown(first.low, one.unit), shown(first.high, one.unit)
    return f"{one.name} is {least} to {most}; {first.path} moves it most, from {low} to {high} on average."


def shown(value: float | None, unit: str) -> str:
    """A figure as people read it."""
    if value is None:
        return "\N{EN DASH}"
    if unit == "1":
        return units.percent(value)
    return units.quantity(value, {"B/s": "Bps", "bit/s": "bps"}.get(unit, unit)).strip()
