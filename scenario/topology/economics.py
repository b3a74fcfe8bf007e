"""The language of money and power: `economics:` in a topology. Every default has its source or its range here.

Amounts are US dollars. What nobody has published is called assumed, with the range to try: `longhaul worth` prints all
that it reckoned with.
"""

from __future__ import annotations

from pydantic import Field

from scenario.text.fields import Age, Model, Moment, PositiveShare, Share
from scenario.text.strict import Strict
from scenario.text.units import YEAR_S
from scenario.types.economics import Economics

FOOT_M = 0.3048
GPU_USD: dict[str, float] = {
    "A100": 10e3,
    "H100": 25e3,
    "H200": 30e3,
    "B200": 40e3,
    "GB200": 45e3,
    "GB300": 49e3,
    "MI300X": 15e3,
}


class EconomicsModel(Strict):
    """What to weigh training, mending and leasing by."""

    gpus: dict[Model, float] = Field(default={})
    """Dollars for one GPU with its share of the server, by accelerator; else A100 10,000, H100 25,000, H200 30,000,
    B200 40,000, GB200 45,000, GB300 49,000 (3 to 4 million for a rack of 72, press estimates), MI300X 15,000 (assumed;
    range ±30 %)."""
    compute: float = Field(default=2.5, gt=0, le=1e3)
    """Dollars for what one H100 computes in an hour, rented elsewhere: what trained tokens are worth (assumed; range 2
    to 4)."""
    lease: float = Field(default=7.7, ge=0, le=1e3)
    """Dollars of rent per GPU and hour, of whatever kind. Reported: 1.25 billion a month for some 220,000 GPUs and 300
    MW of Colossus 1, through May 2029 [SpaceX's S-1, as told by TechCrunch, May 2026]: 7.7."""
    notice: Moment = 90 * 86400.0
    """After how long a lease may end; reported: 90 days, by either side [the same]."""
    market: float | None = Field(default=None, gt=0, le=1e3)
    """Dollars of rent per GPU and hour for which such GPUs are let today; else as `lease`: agreed at the market."""
    volatility: Share = 0.4
    """How much that rent moves in a year, the standard deviation of its logarithm (assumed; range 20 to 80 %: rents of
    H100s fell from about 8 to about 2.5 dollars from 2023 to 2025)."""
    electricity: float = Field(default=0.06, ge=0, le=10)
    """Dollars per kWh (assumed; range 0.04 to 0.09)."""
    server: float = Field(default=1.6, ge=1, le=10)
    """Power of a whole server over that of its GPUs (DGX H100: 10.2 kW over 5.6 kW, 1.8; GB200 NVL72: 120 to 132 kW
    over 86 kW, 1.5; range 1.4 to 1.85)."""
    pue: float = Field(default=1.2, ge=1, le=5)
    """Power of the site over that of its servers: cooling and losses (assumed; range 1.1 to 1.5)."""
    fibre: float = Field(default=18.0, ge=0, le=1e6)
    """Dollars per foot of new underground cable. 18 is the median of 2025 [Fiber Broadband Association and Cartesian,
    Fiber Deployment Cost Annual Report 2025]; range 10 to 27."""
    optics: float = Field(default=3000.0, ge=0, le=1e6)
    """Dollars per end and 400 Gbit/s of coherent optics (assumed; range 1,500 to 6,000)."""
    switching: float = Field(default=1000.0, ge=0, le=1e6)
    """Dollars per end and 400 Gbit/s of switch ports (assumed; range 500 to 2,000)."""
    discount: Share = 0.10
    """Interest per year that money could earn elsewhere (assumed; range 8 to 15 %)."""
    horizon: Age = 3 * YEAR_S
    """How far ahead is reckoned: the reported lease runs for three years."""
    lifetime: Age = 5 * YEAR_S
    """Over how long a GPU is written off (assumed; range 3 to 6 years)."""
    resale: Share = 0.3
    """What replaced GPUs bring, as a share of their price (assumed; range 0.1 to 0.5)."""
    utilization: PositiveShare = 0.9
    """The share of the year in which a job gets on: Llama 3's 405B had more than 90 % in 54 days, with 466
    interruptions [Grattafiori et al. 2024, section 3.3.4]."""


def economics(written: EconomicsModel) -> Economics:
    """The same in SI units and dollars."""
    return Economics(
        gpu_usd=GPU_USD | written.gpus,
        compute_usd_per_h100_hour=written.compute,
        lease_usd_per_gpu_hour=written.lease,
        lease_notice_s=written.notice,
        market_usd_per_gpu_hour=written.lease if written.market is None else written.market,
        volatility_per_year=written.volatility,
        electricity_usd_per_kwh=written.electricity,
        server_factor=written.server,
        pue=written.pue,
        fibre_usd_per_m=written.fibre / FOOT_M,
        optics_usd_per_bps=written.optics / 400e9,
        switching_usd_per_bps=written.switching / 400e9,
        discount_per_year=written.discount,
        horizon_years=written.horizon / YEAR_S,
        lifetime_years=written.lifetime / YEAR_S,
        resale=written.resale,
        utilization=written.utilization,
    )
