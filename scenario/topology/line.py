"""The noise of an amplified line: OSNR from its amplifiers, GSNR with the fibre's nonlinearity. Pure.

Equal spans, each followed by an amplifier that makes up for it, after a booster that is left out. Amplified spontaneous
emission is h·f·B·NF·G per amplifier; nonlinear interference is the incoherent Gaussian-noise model in closed form
[Poggiolini et al. 2014, The GN-Model of Fiber Non-Linear Propagation and its Applications, eq. 15]. Checked against
GNPy (Telecom Infra Project) in tests/scenario/test_scenario_line.py.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

PLANCK_JS = 6.62607015e-34
CARRIER_HZ = 193.5e12
REFERENCE_HZ = 12.5e9
"""0.1 nm, in which OSNR is told."""
DISPERSION_S2_PER_M = 21.3e-27
NONLINEARITY_PER_WM = 1.27e-3
"""Of standard fibre, as GNPy has it: 16.7 ps/nm/km; 1.27 /W/km."""


@dataclass(frozen=True)
class OpticalLine:
    """`spans` of `span_m`, `loss_db_per_km` of fibre and `connector_db` beside it in each; `channels` of so many
    symbols a second, `spacing_hz` apart, launched at `launch_dbm` each; amplifiers of a noise figure."""

    spans: int
    span_m: float
    loss_db_per_km: float = 0.2
    connector_db: float = 0.0
    noise_figure_db: float = 5.5
    launch_dbm: float = 0.0
    channels: int = 40
    symbols_per_s: float = 32e9
    spacing_hz: float = 50e9

    @property
    def span_db(self) -> float:
        """Loss of each span."""
        return self.loss_db_per_km * self.span_m / 1000 + self.connector_db


def osnr_db(line: OpticalLine) -> float:
    """Optical SNR in 0.1 nm after the last amplifier."""
    noise_w = PLANCK_JS * CARRIER_HZ * REFERENCE_HZ * _linear(line.noise_figure_db + line.span_db)
    return line.launch_dbm - 30 - 10 * math.log10(line.spans * noise_w)


def gsnr_db(line: OpticalLine) -> float:
    """The same with nonlinear interference for noise, too, in 0.1 nm."""
    power_w = _linear(line.launch_dbm - 30)
    inverse = (
        1 / _linear(osnr_db(line)) + line.spans * _nonlinear_psd(line) * REFERENCE_HZ / power_w
    )
    return -10 * math.log10(inverse)


def _nonlinear_psd(line: OpticalLine) -> float:
    """Interference of the channel in the middle from one span, W/Hz, where the fibre ends."""
    alpha = line.loss_db_per_km / 1000 / (20 * math.log10(math.e))  # of the field, per metre
    effective_m = -math.expm1(-2 * alpha * line.span_m) / (2 * alpha)
    asymptotic_m = 1 / (2 * alpha)
    psd = _linear(line.launch_dbm - 30) / line.symbols_per_s
    bandwidth = line.symbols_per_s**2 * line.channels ** (2 * line.symbols_per_s / line.spacing_hz)
    reach = math.asinh(math.pi**2 / 2 * DISPERSION_S2_PER_M * asymptotic_m * bandwidth)
    strength = 8 / 27 * NONLINEARITY_PER_WM**2 * psd**3 * effective_m**2
    return strength * reach / (math.pi * DISPERSION_S2_PER_M * asymptotic_m)


def _linear(decibel: float) -> float:
    return float(10 ** (decibel / 10))
