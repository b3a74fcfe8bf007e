"""`attribution.json`: what an iteration's lost time is lost to, and what each remedy buys (docs/analysis.md)."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from analysis.form.parts import Count, Form, Interval, Seconds, Share, doc

FILE = "attribution.json"


class CauseShare(Form, frozen=True):
    """A cause, and its share of the lost time."""

    name: Annotated[str, doc("The factor.")]
    without: Annotated[str, doc("What a fabric without it is like.")]
    lost_s: Annotated[Seconds, doc("Its Shapley value: mean over seeds.")]
    interval_s: Annotated[Interval | None, doc("Over seeds; null with one seed.")]
    share: Annotated[Share, doc("Of all that is lost.")]


class Interaction(Form, frozen=True):
    """What a set of causes adds beyond all of its parts."""

    causes: Annotated[list[str], doc("The set.")]
    extra_s: Annotated[Seconds, doc("Harsanyi dividend: mean over seeds.")]
    interval_s: Annotated[Interval | None, doc("Over seeds; null with one seed.")]


class Combination(Form, frozen=True):
    """The iteration while some causes act."""

    causes: Annotated[list[str], doc("Those that act.")]
    iteration_s: Annotated[Seconds, doc("Mean over seeds.")]
    interval_s: Annotated[Interval | None, doc("Over seeds; null with one seed.")]
    by_seed_s: Annotated[list[Seconds], doc("Seed by seed.")]


class Shares(Form, frozen=True):
    """The lost time, divided among its causes."""

    ideal_s: Annotated[Seconds, doc("An iteration without any cause.")]
    actual_s: Annotated[Seconds, doc("An iteration with all of them.")]
    lost_s: Annotated[Seconds, doc("The difference.")]
    seeds: Annotated[Count, doc("That each combination ran with.")]
    causes: Annotated[list[CauseShare], doc("Every cause.")]
    interactions: Annotated[list[Interaction], doc("Every set of two causes or more.")]
    combinations: Annotated[list[Combination], doc("Every set of causes, the empty one first.")]


class TrialRun(Form, frozen=True):
    """One run of the series."""

    without: Annotated[list[str], doc("Factors switched off.")]
    seed: Annotated[int, doc("Of all randomness.")]
    folder: Annotated[str, doc("Its run folder.")]
    digest: Annotated[str, doc("Of its events.")]
    iteration_s: Annotated[Seconds, doc("Mean.")]
    faithful: Annotated[bool, doc("Whether its network was what was asked for.")]


class Amount(Form, frozen=True):
    """An amount of money."""

    amount: Annotated[float, doc("In the currency.")]
    currency: Annotated[str, doc("Such as USD.")]


class Money(Form, frozen=True):
    """What a remedy comes to for the real cluster, at the topology's prices (docs/dsl.md, Economics)."""

    capital_usd: Annotated[float, doc("Paid at once.")]
    npv_usd: Annotated[float, doc("Present value over the horizon, capital included.")]
    gained_usd: Annotated[float, doc("More than the cluster as it is.")]
    pays_back_years: Annotated[
        float | None, doc("Until capital is earned; null where there is none, or it never is.")
    ]
    tokens_per_usd: Annotated[float, doc("Trained, by hardware written off and electricity.")]
    tokens_per_kwh: Annotated[float, doc("Trained, of the whole site.")]


class Turning(Form, frozen=True):
    """Where the best lease and the best that leases nothing are worth as much."""

    train: Annotated[str, doc("The best remedy that leases nothing and learns alike.")]
    lease: Annotated[str, doc("The best lease.")]
    horizon_years: Annotated[float, doc("How far ahead is reckoned.")]
    rent_usd: Annotated[float, doc("Per GPU and hour, as reckoned.")]
    turning_rent_usd: Annotated[float, doc("Above it, lease.")]
    compute_usd: Annotated[float, doc("What an H100-hour of training is worth, as reckoned.")]
    turning_compute_usd: Annotated[float, doc("Above it, train.")]


class Remedied(Form, frozen=True):
    """A remedy, and what it buys; or why it cannot be had."""

    name: Annotated[str, doc("The remedy.")]
    says: Annotated[str, doc("What is done.")]
    parts: Annotated[list[str], doc("The single remedies that it consists of.")]
    leases: Annotated[bool, doc("Whether GPUs are given to somebody else.")]
    learns_alike: Annotated[bool, doc("Whether the model comes out the same.")]
    saved_s: Annotated[Seconds | None, doc("Per iteration; null where it cannot be had.")]
    interval_s: Annotated[Interval | None, doc("Over seeds; null with one seed.")]
    share: Annotated[
        Share | None,
        doc(
            "Of the cluster's FLOP/s and time that the same tokens no longer take: GPUs weighed by what they achieve."
        ),
    ]
    worth_per_day: Annotated[Amount | None, doc("Of a day of training; null without a price.")]
    money: Annotated[Money | None, doc("Null where an accelerator has no price.")]
    faithful: Annotated[bool, doc("Whether all of its runs were.")]
    why_not: Annotated[str | None, doc("Why it cannot be had; null where it can.")]

    @property
    def freed(self) -> float:
        """The share of GPU time; 0 where the remedy cannot be had."""
        return self.share or 0.0

    @property
    def gained(self) -> float:
        """In dollars, or, where nothing has a price, in GPU time; 0 where the remedy cannot be had."""
        return self.money.gained_usd if self.money else self.freed


class Attribution(Shares, frozen=True, kw_only=True, omit_defaults=True):
    """All of `attribution.json`."""

    name: Annotated[str, doc("Of the topology.")]
    without_effect: Annotated[list[str], doc("Factors that make no difference to it.")]
    runs: Annotated[list[TrialRun], doc("Every run of the series.")]
    command: Annotated[str | None, doc("That made it.")] = None
    remedies: Annotated[
        list[Remedied] | None, doc("Best first; those that cannot be had last. With --mend.")
    ] = None
    turning: Annotated[
        Turning | None, doc("With --mend, where something can be leased and all has a price.")
    ] = None


def attribution_schema() -> dict[str, Any]:
    """The JSON Schema of `attribution.json`."""
    return msgspec.json.schema(Attribution)
