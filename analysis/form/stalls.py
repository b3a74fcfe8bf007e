"""`stalls` of `summary.json`: where the time of the ranks went, and who was waited for.

Seconds are means per measured iteration. Definitions: docs/analysis.md.
"""

from __future__ import annotations

from typing import Annotated

from analysis.form.parts import Count, Form, Seconds, Share, doc


class Times(Form, frozen=True):
    """Where a rank's time went; of several ranks, their mean."""

    compute_s: Annotated[Seconds, doc("In compute tasks.")]
    sync_wait_s: Annotated[Seconds, doc("Exposed: in collectives before their last rank entered.")]
    transfer_s: Annotated[Seconds, doc("Exposed: in collectives after that.")]
    exposed_communication_s: Annotated[
        Seconds, doc("In collectives, covered by no compute: sync wait and transfer.")
    ]
    hidden_communication_s: Annotated[Seconds, doc("In collectives, covered by compute.")]
    idle_s: Annotated[Seconds, doc("In neither.")]

    @property
    def whole_s(self) -> float:
        """All of the time."""
        return self.compute_s + self.exposed_communication_s + self.idle_s


class Blamed(Times, frozen=True):
    """The same, with what others waited for, and why."""

    blamed_s: Annotated[Seconds, doc("Rank-seconds that others waited for it.")]
    blamed_share: Annotated[Share, doc("Of all waiting.")]
    last_to_enter: Annotated[Count, doc("How many collectives it was the last to enter.")]
    late_begin_s: Annotated[Seconds, doc("How much later than the mean rank it began to compute.")]
    late_compute_s: Annotated[Seconds, doc("How much longer than the mean rank it computed.")]
    compute_wait_s: Annotated[
        Seconds, doc("The sync wait that slow compute alone explains, had all begun together.")
    ]


class Rank(Blamed, frozen=True):
    """One rank."""

    rank: Annotated[int, doc("Its number.")]
    name: Annotated[str, doc("Its host.")]
    campus: Annotated[str, doc("Where it is.")]
    accelerator: Annotated[str, doc("Its GPUs' generation.")]
    gpus: Annotated[Count, doc("How many of them.")]
    slowdown: Annotated[
        float, doc("S_w: the job's slowdown if this rank alone kept its compute times.")
    ]


class RankGroup(Blamed, frozen=True):
    """Ranks that have something in common: times are their mean, blame is their sum."""

    ranks: Annotated[Count, doc("How many.")]


class Generation(RankGroup, frozen=True):
    """The ranks of one GPU generation."""

    accelerator: Annotated[str, doc("Which.")]


class AtCampus(RankGroup, frozen=True):
    """The ranks of one campus."""

    campus: Annotated[str, doc("Which.")]


class GenerationAtCampus(RankGroup, frozen=True):
    """The ranks of one GPU generation at one campus."""

    accelerator: Annotated[str, doc("Which generation.")]
    campus: Annotated[str, doc("Which campus.")]


class Ideal(Form, frozen=True):
    """The iteration had nobody straggled."""

    iteration_s: Annotated[Seconds, doc("All of it.")]
    compute_s: Annotated[Seconds, doc("Compute.")]
    communication_s: Annotated[Seconds, doc("Communication that no compute covers.")]
    definition: Annotated[str, doc("What durations it has, in words.")]


class OneCampus(Form, frozen=True):
    """Held against the plan's ideal: one campus of uniform hardware."""

    iteration_s: Annotated[Seconds, doc("What an iteration would take there, as predicted.")]
    slowdown: Annotated[float, doc("Actual over predicted.")]
    waste: Annotated[Share, doc("1 - 1/slowdown.")]


class Blame(Form, frozen=True):
    """Who waited for whom."""

    groups: Annotated[list[str], doc("Generation and campus, of rows and of columns.")]
    waited_s: Annotated[
        list[list[Seconds]], doc("Rank-seconds that the group of the row waited for the column's.")
    ]


class Stalls(Times, frozen=True):
    """Means over all ranks, what straggling cost, and the same by group and by rank."""

    compute_wait_s: Annotated[
        Seconds, doc("The sync wait that slow compute alone explains, had all begun together.")
    ]
    slowdown: Annotated[float, doc("S = T / T_ideal: stragglers on this very fabric.")]
    waste: Annotated[Share, doc("Of GPU time, lost to stragglers: 1 - 1/S.")]
    slowdown_compute: Annotated[float, doc("S if compute alone kept its actual durations.")]
    slowdown_communication: Annotated[float, doc("S if communication alone kept its own.")]
    ideal: Annotated[Ideal, doc("T_ideal and its parts.")]
    one_campus: Annotated[OneCampus | None, doc("Null where the plan has no such ideal.")]
    by_accelerator: Annotated[list[Generation], doc("By GPU generation, most waited for first.")]
    by_campus: Annotated[list[AtCampus], doc("By campus, most waited for first.")]
    by_group: Annotated[list[GenerationAtCampus], doc("By both, most waited for first.")]
    blame: Annotated[Blame, doc("Who waited for whom, by group.")]
    by_rank: Annotated[list[Rank], doc("Every rank, in their order.")]
