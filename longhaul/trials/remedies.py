"""What could be done about lost time, and what each remedy buys: the same run, with the remedy in place.

In: a question. Out: for each remedy the time that it saves, seed by seed, and what that is worth. Each is a run of
its own, kept as those of an attribution are; what cannot be had for a topology or workload is said, not guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from analysis.form.attribution import Remedied, Worth
from analysis.form.summary import TrainingSummary
from analysis.series.intervals import ends, student
from longhaul.trials import series as trials
from longhaul.trials.attribution import Question
from longhaul.trials.series import Trial, TrialFailed
from scenario.factors import load_without
from scenario.text.diagnostics import InvalidInput
from scenario.types.topology import Topology

_HOURS_PER_DAY = 24
INNER_STEPS = 50
"""Steps between two synchronizations: DiLoCo loses little by as many [Douillard et al. 2023]."""


@dataclass(frozen=True)
class Remedy:
    """Something to do: factors that it takes away, or settings of the topology or the workload.

    `leases`: whether GPUs are given to somebody else, rather than the fabric or the training changed.
    `learns_alike`: whether the model comes out the same, so that its time says all.
    """

    name: str
    says: str
    without: tuple[str, ...] = ()
    overrides: tuple[str, ...] = ()
    workload_overrides: tuple[str, ...] = ()
    leases: bool = False
    learns_alike: bool = True

    def applied(self, trial: Trial) -> Trial:
        """The same run with the remedy in place."""
        return replace(
            trial,
            without=tuple(dict.fromkeys((*trial.without, *self.without))),
            overrides=(*trial.overrides, *self.overrides),
            workload_overrides=(*trial.workload_overrides, *self.workload_overrides),
        )


def remedies(unaged: Topology) -> list[Remedy]:
    """All that are known, for a topology as it is without aging: its links at the rates written down."""
    doubled = tuple(
        f"links.{link.name}.rate={2 * max(link.forward.rate_bps, link.backward.rate_bps):.0f}bit/s"
        for link in unaged.links
    )
    return [
        Remedy("new fibre", "every long-haul link laid anew", without=("aging",)),
        Remedy("uniform GPUs", "every host like the best one", without=("hardware",)),
        Remedy("more spans", "every long-haul link at twice its rate", overrides=doubled),
        Remedy(
            "hierarchical collective",
            "reduce inside each campus first, cross the long haul with shards only",
            workload_overrides=("collective.algorithm=hierarchical",),
        ),
        Remedy(
            "best collective",
            "the algorithm that the cost model expects to be fastest here",
            workload_overrides=("collective.algorithm=auto",),
        ),
        Remedy("compression", "gradients in 8 bits", workload_overrides=("model.dtype=fp8",), learns_alike=False),
        Remedy(
            "DiLoCo",
            f"campuses synchronize once in {INNER_STEPS} steps: another optimizer, whose convergence"
            " is not modelled",
            workload_overrides=(
                f"strategy={{kind: diloco, inner-steps: {INNER_STEPS}}}", "iterations=1", "warmup=0",
            ),
            learns_alike=False,
        ),
        Remedy(
            "BBR", "a congestion control that does not take loss for congestion",
            workload_overrides=("collective.congestion=bbr",),
        ),
        *leases([campus.name for campus in unaged.campuses]),
    ]  # fmt: skip


def leases(campuses: Sequence[str]) -> list[Remedy]:
    """Training without one of the campuses, for each of them, if that leaves any."""
    return [
        Remedy(
            f"lease out {name}",
            f"{name} does something else, which earns as much as its GPUs cost; the others train",
            workload_overrides=(
                f"runs-on=[{', '.join(other for other in campuses if other != name)}]",
            ),
            leases=True,
        )
        for name in campuses
        if len(campuses) > 1
    ]


def mend(question: Question, hear: Callable[[int, int], None]) -> list[Remedied]:
    """What each remedy buys, most first, then those that cannot be had and why.

    Raises InvalidInput, TrialFailed where the run without any remedy fails.
    """
    known = remedies(load_without(question.topology, question.overrides, ("aging",)))
    actual = [question.trial((), seed) for seed in range(1, question.seeds + 1)]
    before = _summaries(actual, question, hear)
    found = [_tried(remedy, actual, before, question, hear) for remedy in known]
    bought = [one for one in found if one.why_not is None]
    return sorted(bought, key=lambda one: -one.freed) + [
        one for one in found if one.why_not is not None
    ]


def _tried(
    remedy: Remedy,
    actual: Sequence[Trial],
    before: Sequence[TrainingSummary],
    question: Question,
    hear: Callable[[int, int], None],
) -> Remedied:
    mended = [remedy.applied(trial) for trial in actual]
    try:
        if [one.digest() for one in mended] == [one.digest() for one in actual]:
            return _not_had(remedy, "it is so already")
        return _bought(remedy, before, _summaries(mended, question, hear))
    except InvalidInput as error:
        return _not_had(remedy, error.diagnostics[0].message)
    except TrialFailed as error:
        return _not_had(remedy, error.reason)


def _summaries(
    wanted: Sequence[Trial], question: Question, hear: Callable[[int, int], None]
) -> list[TrainingSummary]:
    done = trials.carry_out(wanted, question.jobs, hear)
    return [trials.summary(done[trial]) for trial in wanted]


def _bought(
    remedy: Remedy, before: Sequence[TrainingSummary], after: Sequence[TrainingSummary]
) -> Remedied:
    """Seconds saved per iteration; the share of GPU time that frees, and what it is worth a day."""
    taken = [one.iterations.mean_s for one in before]
    mended = [_for_as_many_tokens(b, a) for b, a in zip(before, after, strict=True)]
    saved = [a - b for a, b in zip(taken, mended, strict=True)]
    gpus = after[0].efficiency.gpus / before[0].efficiency.gpus
    share = 1 - gpus * fmean(mended) / fmean(taken)
    return Remedied(
        name=remedy.name,
        says=remedy.says,
        leases=remedy.leases,
        learns_alike=remedy.learns_alike,
        saved_s=fmean(saved),
        interval_s=ends(student(saved)),
        share=share,
        worth_per_day=_worth(before[0], share),
        faithful=all(one.faithful for one in after),
        why_not=None,
    )


def _worth(before: TrainingSummary, share: float) -> Worth | None:
    """What the GPU time that a day of training would no longer take costs; None without a price."""
    price = before.efficiency.price
    if not price:
        return None
    return Worth(price.per_hour * _HOURS_PER_DAY * share, price.currency)


def _not_had(remedy: Remedy, why: str) -> Remedied:
    return Remedied(
        name=remedy.name,
        says=remedy.says,
        leases=remedy.leases,
        learns_alike=remedy.learns_alike,
        saved_s=None,
        interval_s=None,
        share=None,
        worth_per_day=None,
        faithful=True,
        why_not=why,
    )


def _for_as_many_tokens(before: TrainingSummary, after: TrainingSummary) -> float:
    """How long the mended run takes for the tokens of one iteration of the other, seconds: an iteration
    of DiLoCo is a whole cycle."""
    taken, mended = before.efficiency.tokens_per_s, after.efficiency.tokens_per_s
    assert taken, "the workload trains on tokens"
    assert mended, "a remedy does not take the tokens away"
    return taken * before.iterations.mean_s / mended
