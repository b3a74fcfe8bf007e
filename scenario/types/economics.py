"""What things cost and earn, once read: frozen. Money in US dollars, energy in kWh, power in W."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Economics:
    """Prices and shares to weigh training, mending and leasing by. `gpu_usd` is per GPU, by accelerator."""

    gpu_usd: Mapping[str, float] = field(default_factory=dict)
    compute_usd_per_h100_hour: float = 2.5
    lease_usd_per_gpu_hour: float = 7.7
    lease_notice_s: float = 90 * 86400.0
    market_usd_per_gpu_hour: float = 7.7
    volatility_per_year: float = 0.4
    electricity_usd_per_kwh: float = 0.06
    server_factor: float = 1.6
    pue: float = 1.2
    fibre_usd_per_m: float = 18 / 0.3048
    optics_usd_per_bps: float = 3000 / 400e9
    switching_usd_per_bps: float = 1000 / 400e9
    discount_per_year: float = 0.10
    horizon_years: float = 3.0
    lifetime_years: float = 5.0
    resale: float = 0.3
    utilization: float = 0.9
