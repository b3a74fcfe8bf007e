"""Technologies of optical links: what each needs of a signal, at which rates, and what becomes of packets below that.

In: a technology by name, an SNR in dB. Out: bit errors in closed form, codewords that its FEC cannot mend, the rates
that it can step down to. SNR is per symbol (Es/N0, both polarizations alike) after the receiver.

- Bit errors of Gray-coded formats over additive white noise [Proakis, Digital Communications, 5th ed., ch. 4]; 8QAM by
  the formula of square constellations (an approximation, within 0.5 dB). BPSK needs 3.0 dB less than QPSK.
- Real receivers need `penalty_db` more. 1.35 dB on 16QAM reproduces six measured points of another project's table
  (12.8 to 18 dB; origin not traced) within 0.1 dB; assumed for all formats, range 0.5 to 2.5 dB.
- KP4 and GFEC are Reed-Solomon codes, exactly computed. CFEC and oFEC decide softly: at their limit 1e-15 of the
  codewords fail, at a tenth of a decade more bit errors all do (assumed; range 0.05 to 0.2 decades).
- Direct detection without amplifiers: the photocurrent is in proportion to optical power, so that a dB of light is
  2 dB of electrical SNR. Coherent detection with amplifiers: a dB is a dB.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

RECEIVER_PENALTY_DB = 1.35
SOFT_DECADES = 0.1
"""How far above its limit's bit error ratio a soft-decision code fails for good."""


def _erfc(scale: float, divisor: float) -> Callable[[float], float]:
    return lambda snr: scale * math.erfc(math.sqrt(snr / divisor))


FORMATS: Mapping[str, Callable[[float], float]] = {
    "bpsk": _erfc(1 / 2, 1),
    "qpsk": _erfc(1 / 2, 2),
    "8qam": _erfc(2 / 3 * (1 - 1 / math.sqrt(8)), 14 / 3),
    "16qam": _erfc(3 / 8, 10),
    "64qam": _erfc(7 / 24, 42),
    "pam4": _erfc(3 / 8, 10),
    "nrz": _erfc(1 / 2, 2),
}
"""Bit error ratio by linear SNR."""


@dataclass(frozen=True)
class ReedSolomon:
    """A code of `symbols`, of `bits` each, `data` of them payload: it mends half of the rest."""

    symbols: int
    data: int
    bits: int

    @property
    def codeword_bits(self) -> int:
        """Payload bits of a codeword."""
        return self.data * self.bits

    def failure(self, ber: float, _limit: float) -> float:
        """Share of codewords with more wrong symbols than it mends; bit errors are independent."""
        mends = (self.symbols - self.data) // 2
        wrong = -math.expm1(self.bits * math.log1p(-ber))
        if wrong in (0.0, 1.0):
            return wrong
        right, log = math.log1p(-wrong), math.log(wrong)
        ways = enumerate(_log_ways(self.symbols)[mends + 1 :], mends + 1)
        every = (math.exp(way + i * log + (self.symbols - i) * right) for i, way in ways)
        return min(1.0, math.fsum(every))


@dataclass(frozen=True)
class SoftDecision:
    """A code that holds up to its limit and then breaks; `codeword_bits` of payload."""

    codeword_bits: int

    def failure(self, ber: float, limit: float) -> float:
        """1e-15 at the limit, 1 at `SOFT_DECADES` beyond."""
        if ber <= 0:
            return 0.0
        exponent = -15 + 15 / SOFT_DECADES * math.log10(ber / limit)
        return 10 ** max(-300.0, min(0.0, exponent))


KP4 = ReedSolomon(544, 514, 10)
GFEC = ReedSolomon(255, 239, 8)


@dataclass(frozen=True)
class Mode:
    """A rate, as a share of the full one: its format, and the SNR in dB, at the full rate's symbols, at which it just
    works."""

    share: float
    format: str
    required_db: float


@dataclass(frozen=True)
class Technology:
    """How a link carries bits. `modes` fall in rate; `electrical_per_optical` dB of SNR go with a dB of light."""

    name: str
    limit_ber: float
    code: ReedSolomon | SoftDecision
    modes: tuple[Mode, ...]
    electrical_per_optical: float
    source: str

    def ber(self, mode: Mode, snr_db: float) -> float:
        """Bit errors before FEC: the closed form, less the penalty that the required SNR implies."""
        penalty_db = mode.required_db - snr_for_ber(mode.format, self.limit_ber)
        return ber_for_snr(mode.format, snr_db - penalty_db)


def ber_for_snr(form: str, snr_db: float) -> float:
    """Bit error ratio of a format over white noise, at most 1/2."""
    return min(0.5, FORMATS[form](10 ** (min(snr_db, 100.0) / 10)))


@cache
def snr_for_ber(form: str, ber: float) -> float:
    """The SNR in dB at which a format has that bit error ratio: by bisection, to a millionth of a dB."""
    low, high = -60.0, 60.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if ber_for_snr(form, middle) > ber else (low, middle)
    return low


@cache
def _log_ways(count: int) -> tuple[float, ...]:
    """The logarithms of the binomial coefficients of a number."""
    whole = math.lgamma(count + 1)
    return tuple(whole - math.lgamma(i + 1) - math.lgamma(count - i + 1) for i in range(count + 1))


def _at(limit: float, **formats: float) -> tuple[Mode, ...]:
    """Modes at one symbol rate, each at its closed form's limit plus the receivers' penalty."""
    return tuple(
        Mode(share, name.strip("_"), snr_for_ber(name.strip("_"), limit) + RECEIVER_PENALTY_DB)
        for name, share in formats.items()
    )


def _osnr(osnr_db: float, symbols_per_s: float) -> float:
    """SNR per symbol from a required OSNR in 0.1 nm (12.5 GHz), noise in both polarizations."""
    return osnr_db + 10 * math.log10(12.5e9 / symbols_per_s)


_OPENROADM = "OpenROADM 5.0 as in GNPy's eqpt_config_openroadm_ver5.json"
TECHNOLOGIES: Mapping[str, Technology] = {
    one.name: one
    for one in (
        Technology(
            "pam4", 2.4e-4, KP4, _at(2.4e-4, pam4=1.0), 2.0,
            "IEEE 802.3 clauses 91 and 119: RS(544,514), bit error ratio 2.4e-4; direct detection, one rate",
        ),
        Technology(
            "400zr", 1.25e-2, SoftDecision(119 * 1022), (Mode(1.0, "16qam", _osnr(26.0, 59.84e9)),), 1.0,
            "OIF-400ZR-01.0: DP-16QAM at 59.84 GBd, CFEC 1.25e-2, OSNR 26 dB; one rate",
        ),
        Technology(
            "400zr+", 2e-2, SoftDecision(3552 * 8),
            (
                Mode(1.0, "16qam", _osnr(24.0, 63.1e9)), Mode(0.75, "8qam", _osnr(21.0, 63.1e9)),
                Mode(0.5, "qpsk", _osnr(17.0, 63.1e9)), Mode(0.25, "qpsk", _osnr(12.0, 63.1e9)),
            ), 1.0,
            f"{_OPENROADM}: 400G 24 dB, 300G 21 dB, 200G 17 dB at 63.1 GBd, 100G 12 dB at 31.57 GBd; oFEC 2e-2",
        ),
        Technology(
            "flexible", 2e-2, SoftDecision(3552 * 8),
            _at(2e-2, **{"16qam": 1.0, "8qam": 0.75, "qpsk": 0.5, "bpsk": 0.25}), 1.0,
            "Bits per symbol from 4 to 1 at one symbol rate, oFEC, each at its closed form plus 1.35 dB",
        ),
        Technology(
            "100g", 4.5e-3, SoftDecision(30592), (Mode(1.0, "qpsk", _osnr(17.0, 27.95e9)),), 1.0,
            f"{_OPENROADM}: DP-QPSK at 27.95 GBd, OSNR 17 dB; staircase FEC 4.5e-3 [ITU-T G.709.2]; one rate",
        ),
        Technology(
            "10g", 8.3e-5, GFEC, _at(8.3e-5, nrz=1.0), 2.0,
            "ITU-T G.975: RS(255,239), bit error ratio 8.3e-5; on-off keying, direct detection, one rate",
        ),
    )
}  # fmt: skip
