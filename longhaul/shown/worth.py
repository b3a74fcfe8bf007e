"""What a cluster is worth, for people and programs: `longhaul worth` prints what is made here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from analysis import units
from analysis.series.notice import notice
from analysis.series.worth import (
    Worth,
    best,
    pays_back_after_years,
    turning_compute,
    turning_rent,
)
from analysis.terminal.tables import table
from scenario.types.topology import Topology, Training


@dataclass(frozen=True)
class Answer:
    """What was weighed, the first being the cluster as it is; `h100_flops` is what tokens are priced by."""

    topology: Topology
    workload: Training
    found: Sequence[Worth]
    h100_flops: float

    @property
    def leases(self) -> list[Worth]:
        """Those that lease something out."""
        return [one for one in self.found if one.option.leased_gpus]

    @property
    def trains(self) -> list[Worth]:
        """Those that keep everything."""
        return [one for one in self.found if not one.option.leased_gpus]


def to_json(answer: Answer) -> dict[str, Any]:
    """All of it, in SI units and dollars."""
    return {
        "name": answer.topology.name,
        "scale_hosts": answer.topology.scale_hosts,
        "options": [asdict(one) for one in answer.found],
        "verdict": verdict(answer),
        "notice": clause(answer),
        "economics": asdict(answer.topology.economics),
    }


def verdict(answer: Answer) -> str:
    """Which is worth most, and at which price that turns."""
    train, chosen = best(answer.trains), best(answer.found)
    said = f"Worth most: {chosen.option.name}, {_usd(chosen.npv_usd)} in {_years(answer)}."
    if not answer.leases:
        return said
    lease, prices = best(answer.leases), answer.topology.economics
    rent = turning_rent(lease, train, prices)
    compute = turning_compute(lease, train, answer.h100_flops, prices)
    return (
        f"{said} {lease.option.name.capitalize()} is worth as much as {train.option.name} at a rent of"
        f" {rent:.2f} USD per GPU-hour (reckoned: {prices.lease_usd_per_gpu_hour:.2f}), or where an H100-hour of"
        f" training is worth {compute:.2f} USD (reckoned: {prices.compute_usd_per_h100_hour:.2f})."
    )


def print_worth(answer: Answer, out: Console) -> None:
    """The table, the verdict, what it rests on."""
    out.print(_options(answer))
    out.print(Text(verdict(answer), "bold"))
    for line in (*_bought(answer), *_clause(answer)):
        out.print(Text(line))
    out.print(_prices(answer))
    out.print(
        Text(
            "Held equal: tokens, model, how it learns. By the model, nothing was run; one host here stands for"
            f" {answer.topology.scale_hosts:,.0f}. A lease may end after"
            f" {answer.topology.economics.lease_notice_s / 86400:.0f} days: only"
            f" {_usd(_certain(answer))} of its rent is certain.",
            "dim",
        )
    )


def _options(answer: Answer) -> Table:
    made = table(
        f"What {answer.topology.name} is worth in {_years(answer)}",
        "option", "step", "MW", "Mtok/kWh", "Mtok/USD", "capital bn USD", "NPV bn USD",
    )  # fmt: skip
    for one in answer.found:
        made.add_row(
            Text(one.option.name),
            units.time(one.option.iteration_s, 4),
            f"{one.site_w / 1e6:.4g}",
            f"{one.tokens_per_kwh / 1e6:.3g}",
            f"{one.tokens_per_usd / 1e6:.3g}",
            f"{one.option.capital_usd / 1e9:.3g}",
            f"{one.npv_usd / 1e9:.3g}",
        )
    return made


def _bought(answer: Answer) -> list[str]:
    before = answer.found[0]
    said = []
    for one in answer.found:
        if one.option.capital_usd:
            years = pays_back_after_years(one, before)
            never = "never pays" if years is None else f"pays back in {years:.3g} years"
            said.append(f"{one.option.name}: {_usd(one.option.capital_usd)}, {never}")
    return said


def clause(answer: Answer) -> dict[str, Any] | None:
    """What the notice clause makes of the best lease, today's dollars for all its GPUs: at the reckoned volatility, and
    where it is half and twice as much. Own use is worth the rent at which the verdict turns."""
    if not answer.leases:
        return None
    lease, train, prices = best(answer.leases), best(answer.trains), answer.topology.economics
    own = max(0.0, turning_rent(lease, train, prices))
    gpus = lease.option.leased_gpus
    ranges = {
        f"{spread:g}": {who: gpus * usd for who, usd in asdict(notice(prices, own, spread)).items()}
        for spread in (f * prices.volatility_per_year for f in (1.0, 0.5, 2.0))
    }
    return {"lease": lease.option.name, "own_use_usd_per_hour": own, "by_volatility": ranges}


def _clause(answer: Answer) -> list[str]:
    found = clause(answer)
    if found is None:
        return []
    (spread, usual), low, high = found["by_volatility"].items()
    prices = answer.topology.economics
    days = prices.lease_notice_s / 86400
    said = ", ".join(
        f"{who} {_usd(usual[key])} ({_usd(low[1][key])} … {_usd(high[1][key])})"
        for key, who in (
            ("nobody", "nobody may end"),
            ("tenant", "the tenant may"),
            ("both", "both may"),
        )
    )
    return [
        f"The {days:.0f} days' notice, by a binomial lattice (docs/dsl.md, Economics; the market's rent begins at"
        f" {prices.market_usd_per_gpu_hour:g} USD and moves by {float(spread):.0%} a year, half … twice as much): a"
        f" lease of {found['lease'].removeprefix('lease ')} that {said}."
    ]


def _certain(answer: Answer) -> float:
    prices = answer.topology.economics
    leased = max((one.option.leased_gpus for one in answer.leases), default=0.0)
    return leased * prices.lease_usd_per_gpu_hour * prices.lease_notice_s / 3600


def _prices(answer: Answer) -> Table:
    made = table("Reckoned with (sources and ranges: docs/dsl.md, Economics)", "what", "value")
    for name, value in asdict(answer.topology.economics).items():
        if isinstance(value, dict):
            used = {h.accelerator.name for c in answer.topology.campuses for h in c.hosts}
            shown = ", ".join(f"{key} {value[key]:,.0f}" for key in sorted(used) if key in value)
        else:
            shown = f"{value:.4g}"
        made.add_row(name.replace("_", " "), shown)
    return made


def _years(answer: Answer) -> str:
    return f"{answer.topology.economics.horizon_years:g} years"


def _usd(amount: float) -> str:
    for factor, suffix in ((1e9, " bn"), (1e6, " m"), (1e3, " k")):
        if abs(amount) >= factor:
            return f"{amount / factor:.3g}{suffix} USD"
    return f"{amount:.3g} USD"
