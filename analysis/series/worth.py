"""What ways to use a cluster are worth: yearly flows of money, their present value, and where the verdict turns. Pure.

In: options (what trains how fast, what is leased, what is bought) and economics. Out: per option tokens per dollar and
kWh, capital, and net present value over the horizon. All is of the real cluster.

Tokens are worth what the same computing costs to rent elsewhere, so that training, mending and leasing are held against
each other in one currency: the model, its tokens and how it learns are held equal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from scenario.types.economics import Economics

HOURS_PER_YEAR = 8766.0


@dataclass(frozen=True)
class Option:
    """A way to use the cluster. `trained_flops` are those that reach the model (6·N·tokens/s); `leased_gpus` earn rent;
    `power_w` is that of all GPUs; `capital_usd` is paid at once; `hardware_usd` is the price of all GPUs."""

    name: str
    iteration_s: float
    tokens_per_s: float
    trained_flops: float
    leased_gpus: float
    power_w: float
    capital_usd: float
    hardware_usd: float


@dataclass(frozen=True)
class Worth:
    """What an option comes to."""

    option: Option
    site_w: float
    tokens_per_kwh: float
    tokens_per_usd: float
    flow_usd_per_year: float
    npv_usd: float


def worth(option: Option, h100_flops: float, prices: Economics) -> Worth:
    """Its flows: tokens at the price of computing, rent, less electricity; capital at once."""
    site_w = option.power_w * prices.server_factor * prices.pue
    power_usd = site_w / 1000 * HOURS_PER_YEAR * prices.electricity_usd_per_kwh
    trained = option.trained_flops / h100_flops * prices.compute_usd_per_h100_hour
    rent = option.leased_gpus * prices.lease_usd_per_gpu_hour
    flow = (trained * prices.utilization + rent) * HOURS_PER_YEAR - power_usd
    spent = (option.hardware_usd + option.capital_usd) / prices.lifetime_years + power_usd
    tokens = option.tokens_per_s * prices.utilization
    return Worth(
        option=option,
        site_w=site_w,
        tokens_per_kwh=tokens * 3600 / (site_w / 1000),
        tokens_per_usd=tokens * HOURS_PER_YEAR * 3600 / spent,
        flow_usd_per_year=flow,
        npv_usd=flow * annuity(prices) - option.capital_usd,
    )


def annuity(prices: Economics, years: float | None = None) -> float:
    """What a dollar a year, paid by the month, is worth today."""
    months = round(12 * (prices.horizon_years if years is None else years))
    monthly = (1 + prices.discount_per_year) ** (-1 / 12)
    return float(sum(monthly**month for month in range(1, months + 1)) / 12)


def turning_rent(lease: Worth, train: Worth, prices: Economics) -> float:
    """The rent per GPU and hour at which a lease is worth as much as training: above it, lease."""
    missing_usd_per_year = (train.npv_usd - lease.npv_usd) / annuity(prices)
    gpus = lease.option.leased_gpus
    return prices.lease_usd_per_gpu_hour + missing_usd_per_year / (gpus * HOURS_PER_YEAR)


def turning_compute(lease: Worth, train: Worth, h100_flops: float, prices: Economics) -> float:
    """The worth of an H100-hour of training at which both are worth as much: above it, train."""
    more_flops = train.option.trained_flops - lease.option.trained_flops
    missing_usd_per_year = (lease.npv_usd - train.npv_usd) / annuity(prices)
    per_usd = more_flops / h100_flops * prices.utilization * HOURS_PER_YEAR
    return prices.compute_usd_per_h100_hour + missing_usd_per_year / per_usd


def pays_back_after_years(option: Worth, before: Worth) -> float | None:
    """How long until what was bought has earned its price; None where it never does."""
    gained = option.flow_usd_per_year - before.flow_usd_per_year
    return option.option.capital_usd / gained if gained > 0 else None


def best(options: Sequence[Worth]) -> Worth:
    """The one worth most."""
    return max(options, key=lambda one: one.npv_usd)
