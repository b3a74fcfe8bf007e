"""What age does to a fibre span: distance, age, condition and technology in, packet loss or a stepped rate out.

The chain, each link a function: span loss -> SNR -> bit errors -> codewords that FEC cannot mend -> lost packets.
Forward error correction makes it a cliff: for years nothing happens, then everything.

What it stands on, and what is assumed (with its range):

- New fibre loses 0.22 dB/km at 1550 nm, splices included (assumed; usual for G.652.D cable; range 0.18 to 0.25).
- Attenuation grows by 2 % (dry) or 30 % (damp) over 20 years, linearly. An OTDR survey of 22 live
  cables of various ages found 2 % to 30 % [Effect of Time on Fiber Optic Cable Characteristics,
  IJSET 13(4), zenodo.org/records/16265052]; that the ends of that range mean dry and damp, and 20
  years, is assumed. Ranges: dry 0 to 5 %, damp 5 to 40 % over 20 years.
- Waterlogged splices add 0.05 dB/km each year. One report only, of one 18 km link that went from 0.45
  to 0.65 dB/km in 4 years [a cabling forum, forums.cabling-design.com]: an anecdote, not a survey. Range 0.005 to
  0.1 dB/km and year: what hangs on it hangs on one forum post.
- Cables are cut 4.39 times a year per 1000 miles (a figure whose origin we could not trace), and each
  repair leaves two splices of 0.1 dB (assumed; range 0.05 to 0.2).
- Equipment ages too: transmitters, connectors and the noise figure of amplifiers take 0.05 dB of SNR a year for
  ten years, after which it is replaced (assumed; range 0 to 0.1 dB).
- Lines longer than 80 km are amplified in equal spans of at most 80 km. Each amplifier makes up for
  its span, so that noise grows by what one span has lost, not by the sum.
- A dB of span loss costs a dB of SNR where there are amplifiers and a coherent receiver, and 2 dB in direct
  detection without. The span was built to meet its technology's limit with its margin to spare; 3 dB is a usual design
  margin (assumed; range 1 to 6).
- Bit errors are independent, so a codeword's failure is binomial. PMD is part of the margin.
- Links differ: the default spread of a link's margin is 0.5 dB (standard deviation; assumed, range 0.3 to 1 dB). RADWAN
  watched the SNR of over 8,000 links for three years [Singh et al. 2018, SIGCOMM]; its abstract, all that we could
  find, says that 64 % of them could carry three quarters more, and not how far they spread. `python -m
  bench.sensitivity spread` draws what hangs on it. A result that hangs on where the cliff is needs
  margins on both sides of it (`longhaul aging --margin`), not one line.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable
from dataclasses import dataclass, replace
from statistics import NormalDist

from scenario.text.units import YEAR_S
from scenario.topology.optics import KP4, TECHNOLOGIES, Mode, Technology

MILE_M = 1609.344
NEW_DB_PER_KM = 0.22
GROWTH_PER_YEAR = {"dry": 0.02 / 20, "damp": 0.30 / 20, "waterlogged": 0.05 / NEW_DB_PER_KM}
GROWTH_RANGE = {
    "dry": (0.0, 0.05 / 20),
    "damp": (0.05 / 20, 0.40 / 20),
    "waterlogged": (0.005 / NEW_DB_PER_KM, 0.1 / NEW_DB_PER_KM),
}
CUTS_PER_MILE_YEAR = 4.39e-3
REPAIR_DB = 2 * 0.1
EQUIPMENT_DB_PER_YEAR, EQUIPMENT_YEARS = 0.05, 10.0
DEFAULT_MARGIN_DB = 3.0
MARGIN_SPREAD_DB = 0.5
LONGEST_SPAN_M = 80_000.0

# Preamble, header, checksum and gap of an Ethernet frame, and 257 coded bits for 256.
FRAME_OVERHEAD_BYTES, TRANSCODING = 38, 257 / 256


@dataclass(frozen=True)
class Span:
    """A fibre between two sites, as it lies. `growth_per_year` is how attenuation grows where the condition's own
    figure is not meant."""

    distance_m: float
    age_s: float = 0.0
    condition: str = "dry"
    margin_db: float = DEFAULT_MARGIN_DB
    technology: str | None = None
    growth_per_year: float | None = None

    def optics(self, mode: str) -> Technology:
        """The technology; where none is said, PAM4 for a link that keeps its rate, and a flexible one for one that
        steps."""
        return TECHNOLOGIES[self.technology or ("flexible" if mode == "step" else "pam4")]


@dataclass(frozen=True)
class Aged:
    """What a span of that age does to packets.

    `rate_share` of the nominal rate is left; `closes` says that the bit errors are within what FEC
    mends. `cuts_per_year` is how often the cable is dug up.
    """

    age_s: float
    span_loss_db: float
    snr_db: float
    ber: float
    codeword_failure: float
    packet_loss: float
    rate_share: float
    closes: bool
    cuts_per_year: float


def aging_table(
    span: Span, ages_s: Iterable[float], mode: str = "loss", packet_bytes: float = 1500
) -> tuple[Aged, ...]:
    """The span at each age. `mode` `loss` keeps the full rate, `step` the highest that closes."""
    spans = (replace(span, age_s=age_s) for age_s in ages_s)
    return tuple(aged(one, mode, packet_bytes) for one in spans)


def aged(span: Span, mode: str = "loss", packet_bytes: float = 1500) -> Aged:
    """What the span does at its age, for packets of that size."""
    optics = span.optics(mode)
    if mode == "loss":
        return _at_mode(span, optics, optics.modes[0], packet_bytes)
    steps = [_at_mode(span, optics, one, packet_bytes) for one in optics.modes]
    return next((step for step in steps if step.closes), steps[-1])


def drawn(
    span: Span, count: int, seed: int = 0, spread_db: float = MARGIN_SPREAD_DB
) -> tuple[Span, ...]:
    """So many spans like this one: margins by their spread, growth anywhere in the condition's range, by a seed."""
    low, high = GROWTH_RANGE[span.condition]
    found = []
    for index in range(count):
        # Seeded with a text, random() is the same on every machine and version of Python.
        chance = random.Random(f"{seed}/{index}")
        shift_db = NormalDist(0.0, spread_db).inv_cdf(1 - chance.random())
        growth = low + chance.random() * (high - low)
        found.append(replace(span, margin_db=span.margin_db + shift_db, growth_per_year=growth))
    return tuple(found)


def oldest_age_s(
    span: Span, mode: str = "loss", most_loss: float = 0.5, packet_bytes: float = 1500
) -> float:
    """The age at which the span's loss of packets of that size reaches `most_loss`, found by bisection up to 100 y."""
    low, high = 0.0, 100 * YEAR_S
    for _ in range(40):
        middle = (low + high) / 2
        lost = aged(replace(span, age_s=middle), mode, packet_bytes).packet_loss
        low, high = (middle, high) if lost < most_loss else (low, middle)
    return low


def span_loss_db(span: Span) -> float:
    """Loss at its age in dB, repairs included, of the line or of each of its amplified spans."""
    length_m = span.distance_m / max(1, math.ceil(span.distance_m / LONGEST_SPAN_M))
    years = span.age_s / YEAR_S
    own = span.growth_per_year
    growth = 1 + (GROWTH_PER_YEAR[span.condition] if own is None else own) * years
    repairs = CUTS_PER_MILE_YEAR * length_m / MILE_M * years
    return NEW_DB_PER_KM * length_m / 1000 * growth + REPAIR_DB * repairs


def snr_db(span: Span, optics: Technology) -> float:
    """SNR at the receiver: what the full rate needs, plus the margin, less what age took of light and equipment."""
    lost_db = span_loss_db(span) - span_loss_db(replace(span, age_s=0.0))
    worn_db = EQUIPMENT_DB_PER_YEAR * min(span.age_s / YEAR_S, EQUIPMENT_YEARS)
    spare_db = optics.electrical_per_optical * (span.margin_db - lost_db)
    return optics.modes[0].required_db + spare_db - worn_db


def packet_loss(
    failure: float, packet_bytes: float = 1500, codeword_bits: int = KP4.codeword_bits
) -> float:
    """Share of packets that touch a failed codeword; a packet of 1500 B touches 3.4 of KP4 on average."""
    bits = (packet_bytes + FRAME_OVERHEAD_BYTES) * 8 * TRANSCODING
    codewords = 1 + bits / codeword_bits
    return 1.0 if failure >= 1 else -math.expm1(codewords * math.log1p(-failure))


def _at_mode(span: Span, optics: Technology, mode: Mode, packet_bytes: float) -> Aged:
    snr = snr_db(span, optics)
    ber = optics.ber(mode, snr)
    failure = optics.code.failure(ber, optics.limit_ber)
    return Aged(
        age_s=span.age_s,
        span_loss_db=span_loss_db(span),
        snr_db=snr,
        ber=ber,
        codeword_failure=failure,
        packet_loss=packet_loss(failure, packet_bytes, optics.code.codeword_bits),
        rate_share=mode.share,
        closes=snr >= mode.required_db - 1e-9,
        cuts_per_year=CUTS_PER_MILE_YEAR * span.distance_m / MILE_M,
    )
