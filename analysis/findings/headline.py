"""One sentence that says what a run found. In: the summary. Out: text, no markup."""

from __future__ import annotations

from analysis import units
from analysis.form.parts import Check, Tail
from analysis.form.stalls import GenerationAtCampus, Stalls
from analysis.form.summary import TrainingSummary
from analysis.form.training import OBSERVED, OVERFLOW, EventCost

NOTICEABLE = 0.01
"""A share of GPU time below which a cause is not worth a word in the headline."""
_APART = 0.05
"""How far mean and median may differ before both are told."""
_LONGER = 0.05
"""By how much longer than predicted a collective is worth a word."""
_MOST = 0.6
"""A share of the blame that is called most of it."""


def headline(summary: TrainingSummary) -> str:
    """How long an iteration took, how much was lost, and to what; unfaithful runs say so first."""
    said = _loss(summary) + _happened(summary) + _network(summary)
    return warning(summary.fidelity) + said + "."


def warning(fidelity: list[Check]) -> str:
    """What precedes the headline of an unfaithful run; nothing for a faithful one."""
    if faithful(fidelity):
        return ""
    wrong = [check.what for check in fidelity if not check.ok]
    what = ", ".join(wrong[:3]) + (f" and {len(wrong) - 3} more" if len(wrong) > 3 else "")
    return f"UNFAITHFUL ({what or 'nothing was checked'}): "


def faithful(fidelity: list[Check]) -> bool:
    """Whether everything that was checked is within its limit; nothing checked is not faithful."""
    return bool(fidelity) and all(check.ok for check in fidelity)


def _loss(summary: TrainingSummary) -> str:
    took = f"An iteration took {_typical(summary.iterations)}"
    one_campus = summary.stalls.one_campus
    if not one_campus:
        return f"{took}: {_spent(summary.stalls)}"
    ideal, waste = units.time(one_campus.iteration_s, 4), one_campus.waste
    if waste < NOTICEABLE:
        return f"{took}, as it would on one uniform campus ({ideal}): {_spent(summary.stalls)}"
    lost = f"{units.percent(waste)} of the GPU time lost"
    return f"{took} where one uniform campus would take {ideal} ({lost}): {_spent(summary.stalls)}"


def _typical(iterations: Tail) -> str:
    """The median; the mean, too, where a few long iterations pull the two apart."""
    median, mean = iterations.p50_s, iterations.mean_s
    if abs(mean / median - 1) < _APART:
        return f"{units.time(median, 4)} (p50)"
    return f"{units.time(mean, 4)} on average (p50 {units.time(median, 4)})"


def _happened(summary: TrainingSummary) -> str:
    """What the costliest event of the timeline cost, if it is worth a word."""
    planned = [one for one in summary.timeline if one.kind not in OBSERVED]
    costly = [(one.cost_s, one) for one in planned if one.cost_s is not None]
    if not costly:
        return ""
    cost_s, worst = max(costly, key=lambda one: one[0])
    share = cost_s / (summary.iterations.mean_s * summary.iterations.count)
    if share < NOTICEABLE:
        return ""
    cost = f"{units.time(cost_s)} ({units.percent(share)} of the run)"
    return f"; {worst.name} ({worst.says}) cost {cost}"


def _network(summary: TrainingSummary) -> str:
    """What the costliest queue or link made of the iterations that waited for it: in the mean of them, if that is
    worth a word; else where queues overflowed all the time while the collective took longer than predicted."""
    seen = [one for one in summary.timeline if one.kind in OBSERVED]
    count = summary.iterations.count
    costly = [(one.cost_s, one) for one in seen if one.cost_s and one.beyond]
    if costly:
        cost_s, worst = max(costly, key=lambda one: one[0])
        longer_s = cost_s / worst.beyond
        if longer_s < NOTICEABLE * summary.iterations.p50_s:
            return ""
        return f"; {worst.beyond} of {count} iterations took {units.time(longer_s)} longer: {_what(worst)}"
    error = summary.prediction.error or 0.0
    always = [one for one in seen if len(one.touched) > count / 2]
    if not always or error < _LONGER:
        return ""
    worst = max(always, key=lambda one: len(one.touched))
    often = f"in {len(worst.touched)} of {count} iterations"
    return f"; {_what(worst)} {often}, and the collective took {units.percent(error)} longer than predicted"


def _what(one: EventCost) -> str:
    """c3→c1's queue overflowed."""
    where, _, what = one.name.partition(" ")
    return f"{where}'s queue {what}" if one.kind == OVERFLOW else one.name


def _spent(stalls: Stalls) -> str:
    """Of all GPU time: waiting (for whom) and moving data."""
    wait, transfer = stalls.sync_wait_s / stalls.whole_s, stalls.transfer_s / stalls.whole_s
    moving = f"{units.percent(transfer)} moving data"
    if wait < NOTICEABLE:
        return f"ranks spent {units.percent(transfer)} of their time moving data"
    waiting = f"{units.percent(wait)} of their time waiting, {_for_whom(stalls)}"
    return f"ranks spent {waiting}, and {moving}"


def _for_whom(stalls: Stalls) -> str:
    """The smallest that carries most of the blame: a rank, a generation at a campus, or nobody."""
    if stalls.compute_wait_s < stalls.sync_wait_s / 2:
        return "for no rank's compute but for what others had to do first"
    rank = max(stalls.by_rank, key=lambda one: one.blamed_share)
    if rank.blamed_share >= _MOST:
        return f"mostly for rank {rank.rank} ({rank.accelerator}, {rank.name})"
    return _groups(stalls.by_group)


def _groups(groups: list[GenerationAtCampus]) -> str:
    """The fewest groups (most blamed first) that carry most of the blame, unless that is nearly all."""
    carried, named = 0.0, list[GenerationAtCampus]()
    for group in groups:
        carried += group.blamed_share
        named.append(group)
        if carried >= _MOST:
            break
    if carried < _MOST or len(named) > max(1, len(groups) // 2):
        return "for no rank in particular"
    return "mostly for " + " and ".join(_at_campuses(named))


def _at_campuses(groups: list[GenerationAtCampus]) -> list[str]:
    campuses: dict[str, list[str]] = {}
    for group in groups:
        campuses.setdefault(group.campus, []).append(group.accelerator)
    return [f"{' and '.join(sorted(names))} at {campus}" for campus, names in campuses.items()]
