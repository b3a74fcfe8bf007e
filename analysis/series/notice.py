"""What a lease's notice clause is worth: who may leave, and when the market has moved, decides what the rent is. Pure.

The market's rent for the same GPUs moves by chance: a binomial lattice, a step a month, up and down by exp(±v√Δt) with
v the volatility, so weighed that it is expected to stay where it is [Cox, Ross & Rubinstein 1979, Option Pricing: A
Simplified Approach]. Whoever gives notice pays, or gets, the agreed rent for the notice period; from then on the owner
takes the better of the market's rent and of what the GPUs are worth to himself. The owner leaves where that is worth
more than holding on, the tenant where it is worth less: so where both may, the lease is worth one notice period and
then the market, whatever the term. Assumed: leaving is free, everybody sees the market, and own use keeps its worth.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from scenario.types.economics import Economics

MONTHS_PER_YEAR = 12
HOURS_PER_MONTH = 8766.0 / MONTHS_PER_YEAR


@dataclass(frozen=True)
class Notice:
    """Dollars today for a GPU over the horizon: a lease that nobody may end, that tenant, owner, or both may."""

    nobody: float
    tenant: float
    owner: float
    both: float


def notice(
    prices: Economics, own_use_usd_per_hour: float, volatility: float | None = None
) -> Notice:
    """Of one GPU at the agreed rent, in a market that begins at `market_usd_per_gpu_hour`."""
    spread = prices.volatility_per_year if volatility is None else volatility
    lattice = _Lattice(prices, own_use_usd_per_hour, spread)
    return Notice(
        nobody=lattice.value(lambda hold, _: hold),
        tenant=lattice.value(min),
        owner=lattice.value(max),
        both=lattice.value(lambda _, leave: leave),
    )


@dataclass(frozen=True)
class _Lattice:
    prices: Economics
    own: float
    volatility: float

    @property
    def months(self) -> int:
        return round(self.prices.horizon_years * MONTHS_PER_YEAR)

    @property
    def discount(self) -> float:
        """Of a month."""
        return float((1 + self.prices.discount_per_year) ** (-1 / MONTHS_PER_YEAR))

    @property
    def up(self) -> float:
        """What the market is multiplied by in a good month."""
        return math.exp(self.volatility * math.sqrt(1 / MONTHS_PER_YEAR))

    @property
    def chance_up(self) -> float:
        """So that the market is expected to stay."""
        return 1 / (1 + self.up)

    def market(self, month: int, ups: int) -> float:
        """Dollars per hour after so many good months of all."""
        return float(self.prices.market_usd_per_gpu_hour * self.up ** (2 * ups - month))

    def value(self, decided: Callable[[float, float], float]) -> float:
        """Today's; `decided` of what it is to hold on and to leave, at the beginning of each month."""
        open_market = self._open()
        count = min(self.months, round(self.prices.lease_notice_s / 3600 / HOURS_PER_MONTH))
        rent = self.prices.lease_usd_per_gpu_hour * HOURS_PER_MONTH
        after = [0.0] * (self.months + 1)
        for month in reversed(range(self.months)):
            left = min(count, self.months - month)
            paid = rent * sum(self.discount**i for i in range(1, left + 1))
            later = self._expected(open_market[month + left], left)
            after = [
                decided(self.discount * (rent + self._next(after, ups)), paid + later[ups])
                for ups in range(month + 1)
            ]
        return after[0]

    def _open(self) -> list[list[float]]:
        """What a GPU is worth without a lease, by month and good months."""
        found = [[0.0] * (self.months + 1)]
        for month in reversed(range(self.months)):
            earned = [
                max(self.market(month, ups), self.own) * HOURS_PER_MONTH for ups in range(month + 1)
            ]
            then = found[0]
            found.insert(
                0, [self.discount * (one + self._next(then, ups)) for ups, one in enumerate(earned)]
            )
        return found

    def _expected(self, values: list[float], months: int) -> list[float]:
        """What values of so many months later are worth now."""
        for _ in range(months):
            values = [self.discount * self._next(values, ups) for ups in range(len(values) - 1)]
        return values

    def _next(self, values: list[float], ups: int) -> float:
        return self.chance_up * values[ups + 1] + (1 - self.chance_up) * values[ups]
