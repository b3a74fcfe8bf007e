"""What could be done about lost time, and what each remedy buys: the same run, with the remedy in place.

In: a question. Out: for each remedy the time that it saves, seed by seed, and what that is worth. Each is a run of
its own, kept as those of an attribution are; what cannot be had for a topology or workload is said, not guessed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

import msgspec

from analysis.form.attribution import Amount, Remedied, Turning
from analysis.form.summary import TrainingSummary
from analysis.series.intervals import ends, student
from analysis.series.verdict import DETECTABLE
from analysis.series.worth import Worth
from longhaul.trials import series as trials
from longhaul.trials.attribution import Question
from longhaul.trials.money import Weighing, weighing
from longhaul.trials.series import Trial, TrialFailed
from scenario.factors import load_without
from scenario.text.diagnostics import InvalidInput
from scenario.types.topology import Topology, Training

_HOURS_PER_DAY = 24
DDP_BUCKETS = 8
"""PyTorch's own buckets of 25 MiB were made for a machine room: over a long haul each costs its round trips."""
LARGER = 4
CHANNELS = 8
"""As NCCL has at least one for each of a host's NICs."""
COMBINED = 3
"""Of the best remedies, so many are tried beside the best one, and beside the best two."""
MARKS = "{min: 50kB, max: 2MB, probability: 1%}"
"""As switches of the catalogue have it, after DCQCN's authors."""
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
    parts: tuple[str, ...] = ()

    def applied(self, trial: Trial) -> Trial:
        """The same run with the remedy in place."""
        return replace(
            trial,
            without=tuple(dict.fromkeys((*trial.without, *self.without))),
            overrides=(*trial.overrides, *self.overrides),
            workload_overrides=(*trial.workload_overrides, *self.workload_overrides),
        )

    def beside(self, other: Remedy) -> Remedy:
        """Both at once."""
        return Remedy(
            name=f"{self.name} + {other.name}",
            says=f"{self.says}; {other.says}",
            without=(*self.without, *other.without),
            overrides=(*self.overrides, *other.overrides),
            workload_overrides=(*self.workload_overrides, *other.workload_overrides),
            learns_alike=self.learns_alike and other.learns_alike,
            parts=(*(self.parts or (self.name,)), other.name),
        )

    def goes_with(self, other: Remedy) -> bool:
        """Whether neither undoes the other: they set different things."""
        mine, others = (
            {text.partition("=")[0] for text in (*one.overrides, *one.workload_overrides)}
            | set(one.without)
            for one in (self, other)
        )
        return not mine & others and not (self.leases or other.leases)


BBR = Remedy(
    "BBR", "a congestion control that does not take loss for congestion",
    workload_overrides=("collective.congestion=bbr",),
)  # fmt: skip


def remedies(unaged: Topology, workload: Training) -> list[Remedy]:
    """All that are known, for a topology as it is without aging (its links at the rates written down) and a workload.

    First what any engineer would try on the hardware that there is, then what has to be bought, then what changes how
    the model learns, then leasing.
    """
    bucket = workload.gradient_bytes / DDP_BUCKETS
    doubled = tuple(
        f"links.{link.name}.rate={2 * max(link.forward.rate_bps, link.backward.rate_bps):.0f}bit/s"
        for link in unaged.links
    )
    return [
        Remedy(
            "proportional shares", "each GPU gets as many tokens as it can compute in the same time",
            workload_overrides=("batch.shares=proportional",),
        ),
        Remedy(
            "overlap", f"gradients summed in {DDP_BUCKETS} buckets while the backward pass goes on, as DDP does",
            workload_overrides=(
                f"strategy={{kind: ddp, bucket: {bucket:.0f}B, first-bucket: {bucket / 4:.0f}B}}",
            ),
        ),
        Remedy(
            "pipeline by campus", "layers in stages, a stage on each campus: activations cross, not gradients",
            workload_overrides=(
                "strategy={kind: pipeline, microbatches: 32}",
                *(() if workload.hidden else (f"model.hidden={_hidden(workload)}",)),
            ),
        ),
        Remedy("new fibre", "every long-haul link laid anew", without=("aging",)),
        Remedy("new GPUs", "every host like the best one", without=("best-hardware",)),
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
        Remedy(
            "hierarchical, tree outside", "the same, but the campuses as a tree: no ring over the worst link twice",
            workload_overrides=("collective={algorithm: hierarchical, outer: tree}",),
        ),
        Remedy(
            "larger batch", f"{LARGER} times the tokens in a step: the model may learn less from each",
            workload_overrides=(f"batch.tokens={LARGER * workload.tokens:.0f}",), learns_alike=False,
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
        *_of_equal_ways(unaged),
        *(of_rdma(unaged) if workload.transport.kind == "roce" else [BBR]),
        *_of_equipment(unaged),
        *leases([campus.name for campus in unaged.campuses]),
    ]  # fmt: skip


def of_rdma(unaged: Topology) -> list[Remedy]:
    """What can be done where the adapters speak RoCE: about loss, about congestion, about pauses."""
    switches = [
        f"campuses.{campus.name}.{which}"
        for campus in unaged.campuses
        for which in ("switch", "border-switch")
    ]
    longest_s = max((link.forward.delay_s for link in unaged.links), default=0.0)
    fastest_bps = max((link.forward.rate_bps for link in unaged.links), default=0.0)
    filling = fastest_bps / 8 * 2 * longest_s
    models = {
        model.name: model
        for campus in unaged.campuses
        for model in (campus.switch_model, campus.border_model)
        if model
    }
    marks = f"{{min: {filling:.0f}B, max: {4 * filling:.0f}B, probability: 10%}}"
    pausing = [name for name, model in models.items() if model.pausing]
    begin = tuple(
        f"switches.{name}.ecn={MARKS}" for name, model in models.items() if not model.marking
    )
    also = ", switches that marked nothing among them" if begin else ""
    return [
        Remedy(
            "selective repeat", "only what was lost is sent again: TCP stands for it, as adapters of IRN's kind would",
            workload_overrides=("transport=tcp",),
        ),
        Remedy(
            "DCQCN", f"switches mark{also}, and adapters obey", overrides=("rdma.congestion=dcqcn", *begin)
        ),
        Remedy(
            "windows", "no more under way than twice what fills each path, at its slowest wire's rate",
            overrides=("rdma={congestion: window}",),
        ),
        Remedy(
            "campuses apart", "DCQCN inside campuses, and between them a window of each path's own",
            overrides=("rdma={congestion: split}", *begin),
        ),
        Remedy(
            "deeper buffers", "switches with memory beside the chip, inside campuses and at their borders",
            overrides=tuple(f"{switch}=deep" for switch in switches),
        ),
        Remedy(
            "marks for the distance", "switches mark from one bandwidth-delay product of the longest link on",
            overrides=tuple(f"switches.{name}.ecn={marks}" for name in models),
        ),
        Remedy(
            "headroom for the distance", "pausing ports have the room that their cables' length asks for",
            overrides=tuple(
                text for name in pausing
                for text in (f"switches.{name}.pfc.headroom=null", f"switches.{name}.buffer=8GB")
            ),
        ),
    ]  # fmt: skip


def _of_equal_ways(unaged: Topology) -> list[Remedy]:
    """What can be done about connections that meet on one of several equal ways."""
    up_from_leaves = (
        sum(leaf in (link.a, link.b) for link in campus.fabric_links)
        for campus in unaged.campuses
        for leaf in set(campus.leaf_of.values())
    )
    if max(up_from_leaves, default=0) < 2 and all(link.members < 2 for link in unaged.links):
        return []
    says = "source ports with which switches' hashes have connections take equal ways in turn"
    return [Remedy("pinned connections", says, overrides=("routing.hash=pinned",))]


def _of_equipment(unaged: Topology) -> list[Remedy]:
    """What can be done about bundles, and about equipment of a past generation, where there is such."""
    several = f"{CHANNELS} between two ranks, so that more members of a bundle are busy"
    found = []
    if any(link.members > 1 for link in unaged.links):
        found.append(
            Remedy(
                "more connections",
                several,
                workload_overrides=(f"collective.channels={CHANNELS}",),
            )
        )
    years = [x.generation for x in unaged.links] + [x.generation for x in unaged.campuses]
    if any(years):
        says = "links and campuses without the limits of their generation"
        found.append(Remedy("new equipment", says, without=("generation",)))
    return found


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


@dataclass(frozen=True)
class Mended:
    """What each remedy buys, best first, then those that cannot be had; and where leasing begins to pay."""

    remedies: list[Remedied]
    turning: Turning | None


def mend(question: Question, hear: Callable[[int, int], None]) -> Mended:
    """Try every remedy, then the best ones together: best by what they gain in money, or, where nobody said what the
    hardware costs, by the computing that they free.

    Raises InvalidInput, TrialFailed where the run without any remedy fails.
    """
    workload = question.training()
    assert workload, "only training is mended"
    known = remedies(load_without(question.topology, question.overrides, ("aging",)), workload)
    actual = [question.trial((), seed) for seed in range(1, question.seeds + 1)]
    before = _summaries(actual, question, hear)
    asked = _Asked(actual, before, weighing(actual[0], _tokens_per_s(before)), question, hear)
    tried = [_tried(remedy, asked) for remedy in known]
    helpful = _helpful(known, [one for one, _ in tried])
    for _ in range(2):  # the best two, the best three
        together = _greedily(helpful, [one for one, _ in tried])
        tried += [_tried(remedy, asked) for remedy in together]
    found = [one for one, _ in tried]
    had = sorted((one for one in found if one.why_not is None), key=lambda one: -one.gained)
    priced = [(one, worth) for one, worth in tried if worth and one.faithful]
    turning = asked.weighing.turning(priced) if asked.weighing else None
    return Mended(had + [one for one in found if one.why_not is not None], turning)


def _helpful(known: Sequence[Remedy], found: Sequence[Remedied]) -> list[Remedy]:
    """Single remedies that gain something and leave the learning as it is, best first."""
    gained = {one.name: one.gained for one in found if one.faithful and one.freed >= DETECTABLE}
    helping = [one for one in known if one.learns_alike and not one.leases]
    return sorted(
        (one for one in helping if gained.get(one.name, 0.0) > 0), key=lambda one: -gained[one.name]
    )


def _greedily(helpful: Sequence[Remedy], found: Sequence[Remedied]) -> list[Remedy]:
    """The best so far with each of the next best beside it that does not undo it."""
    by_name = {one.name: one for one in helpful}
    candidates = [one for one in found if set(one.parts or [one.name]) <= set(by_name)]
    best = max(candidates, key=lambda one: one.gained, default=None)
    if best is None:
        return []
    parts = best.parts or [best.name]
    base = by_name[parts[0]]
    for name in parts[1:]:
        base = base.beside(by_name[name])
    known = {frozenset(one.parts) for one in found}
    made = [base.beside(one) for one in helpful if base.goes_with(one)]
    return [one for one in made if frozenset(one.parts) not in known][:COMBINED]


def _hidden(workload: Training) -> int:
    """Activations of a transformer of that shape: parameters are about 12·layers·hidden² [Kaplan et al. 2020]."""
    return 64 * round(math.sqrt(workload.parameters / len(workload.layers) / 12) / 64)


@dataclass(frozen=True)
class _Asked:
    """What all remedies are held against."""

    actual: Sequence[Trial]
    before: Sequence[TrainingSummary]
    weighing: Weighing | None
    question: Question
    hear: Callable[[int, int], None]


def _tried(remedy: Remedy, asked: _Asked) -> tuple[Remedied, Worth | None]:
    """What a remedy buys, and what the cluster is worth with it."""
    mended = [remedy.applied(trial) for trial in asked.actual]
    try:
        if [one.digest() for one in mended] == [one.digest() for one in asked.actual]:
            return _not_had(remedy, "it is so already"), None
        after = _summaries(mended, asked.question, asked.hear)
    except InvalidInput as error:
        return _not_had(remedy, error.diagnostics[0].message), None
    except TrialFailed as error:
        return _not_had(remedy, error.reason), None
    found = _bought(remedy, asked.before, after)
    if asked.weighing is None:
        return found, None
    worth = asked.weighing.of(mended[0], remedy.name, _tokens_per_s(after))
    return msgspec.structs.replace(found, money=asked.weighing.money(worth)), worth


def _tokens_per_s(found: Sequence[TrainingSummary]) -> float:
    return fmean(one.efficiency.tokens_per_s or 0.0 for one in found)


def _summaries(
    wanted: Sequence[Trial], question: Question, hear: Callable[[int, int], None]
) -> list[TrainingSummary]:
    done = trials.carry_out(wanted, question.jobs, hear)
    return [trials.summary(done[trial]) for trial in wanted]


def _bought(
    remedy: Remedy, before: Sequence[TrainingSummary], after: Sequence[TrainingSummary]
) -> Remedied:
    """Seconds saved per iteration; the share of the cluster's FLOP/s and time that frees (a GPU weighs as much as it
    achieves), and what that is worth a day."""
    taken = [one.iterations.mean_s for one in before]
    mended = [_for_as_many_tokens(b, a) for b, a in zip(before, after, strict=True)]
    saved = [a - b for a, b in zip(taken, mended, strict=True)]
    flops = after[0].efficiency.flops / before[0].efficiency.flops
    if "best-hardware" in remedy.without:
        flops = 1.0  # in place of the old GPUs: what they cost is for `worth` to say
    share = 1 - flops * fmean(mended) / fmean(taken)
    return Remedied(
        name=remedy.name,
        says=remedy.says,
        parts=list(remedy.parts),
        leases=remedy.leases,
        learns_alike=remedy.learns_alike,
        saved_s=fmean(saved),
        interval_s=ends(student(saved)),
        share=share,
        worth_per_day=_priced(before[0], share),
        money=None,
        faithful=all(one.faithful for one in after),
        why_not=None,
    )


def _priced(before: TrainingSummary, share: float) -> Amount | None:
    """What the GPU time that a day of training would no longer take costs; None without a price."""
    price = before.efficiency.price
    if not price:
        return None
    return Amount(price.per_hour * _HOURS_PER_DAY * share, price.currency)


def _not_had(remedy: Remedy, why: str) -> Remedied:
    return Remedied(
        name=remedy.name,
        says=remedy.says,
        parts=list(remedy.parts),
        leases=remedy.leases,
        learns_alike=remedy.learns_alike,
        saved_s=None,
        interval_s=None,
        share=None,
        worth_per_day=None,
        money=None,
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
