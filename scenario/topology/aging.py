"""What age does to a fibre span: distance, age and condition in, packet loss or a stepped rate out.

The chain, each link a function: span loss -> SNR -> pre-FEC bit errors -> KP4 codeword failures ->
lost packets. Forward error correction makes it a cliff: for years nothing happens, then everything.

What it stands on, and what is assumed:

- New fibre loses 0.22 dB/km at 1550 nm, splices included (assumed; usual for G.652.D cable).
- Attenuation grows by 2 % (dry) or 30 % (damp) over 20 years, linearly. An OTDR survey of 22 live
  cables of various ages found 2 % to 30 % [Effect of Time on Fiber Optic Cable Characteristics,
  IJSET 13(4), zenodo.org/records/16265052]; that the ends of that range mean dry and damp, and 20
  years, is assumed.
- Waterlogged splices add 0.05 dB/km each year. One report only, of one 18 km link that went from 0.45
  to 0.65 dB/km in 4 years [a cabling forum, forums.cabling-design.com]: an anecdote, not a survey.
- Cables are cut 4.39 times a year per 1000 miles (a figure whose origin we could not trace), and each
  repair leaves two splices of 0.1 dB (assumed).
- Lines longer than 80 km are amplified in equal spans of at most 80 km. Each amplifier makes up for
  its span, so that noise grows by what one span has lost, not by the sum.
- A dB of span loss costs a dB of SNR. The span was built to meet the FEC's limit (bit error ratio
  2.4e-4) with its margin to spare; 3 dB is a usual design margin.
- SNR and bit error ratio are related by a table of measured points (their origin we could not
  trace). Between them the ratio's logarithm is linear; beyond them the end segments are prolonged.
- Bit errors are independent, so a codeword's failure is binomial. PMD is part of the margin.
- A stepped rate has fewer bits per symbol at the same symbol rate (4, 3, 2, 1 for full rate, 3/4,
  1/2, 1/4) and needs less SNR as Shannon's bound does: 2^bits - 1.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from scenario.text.units import YEAR_S

MILE_M = 1609.344
NEW_DB_PER_KM = 0.22
GROWTH_PER_YEAR = {"dry": 0.02 / 20, "damp": 0.30 / 20, "waterlogged": 0.05 / NEW_DB_PER_KM}
CUTS_PER_MILE_YEAR = 4.39e-3
REPAIR_DB = 2 * 0.1
DEFAULT_MARGIN_DB = 3.0
LONGEST_SPAN_M = 80_000.0

# Measured (SNR in dB, pre-FEC bit error ratio); between them log10 of the ratio is linear in dB.
MEASURED = (
    (12.80, 0.037),
    (14.04, 0.0205),
    (15.02, 0.0112),
    (15.99, 0.00566),
    (16.99, 0.00249),
    (17.97, 0.00096),
)
FEC_LIMIT_BER = 2.4e-4

# KP4: the Reed-Solomon code RS(544,514) of 10-bit symbols corrects 15 of them [IEEE 802.3 cl. 91].
CODE_SYMBOLS, DATA_SYMBOLS, CORRECTABLE, SYMBOL_BITS = 544, 514, 15, 10
# Preamble, header, checksum and gap of an Ethernet frame, and 257 coded bits for 256.
FRAME_OVERHEAD_BYTES, TRANSCODING = 38, 257 / 256

STEPS = ((1.0, 4), (0.75, 3), (0.5, 2), (0.25, 1))


@dataclass(frozen=True)
class Span:
    """A fibre between two sites, as it lies."""

    distance_m: float
    age_s: float = 0.0
    condition: str = "dry"
    margin_db: float = DEFAULT_MARGIN_DB


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
    spans = (Span(span.distance_m, age_s, span.condition, span.margin_db) for age_s in ages_s)
    return tuple(aged(span, mode, packet_bytes) for span in spans)


def aged(span: Span, mode: str = "loss", packet_bytes: float = 1500) -> Aged:
    """What the span does at its age, for packets of that size."""
    at_full_rate = _at_step(span, *STEPS[0], packet_bytes)
    if mode == "loss":
        return at_full_rate
    steps = [_at_step(span, share, bits, packet_bytes) for share, bits in STEPS]
    return next((step for step in steps if step.closes), steps[-1])


def oldest_age_s(span: Span, mode: str = "loss", most_loss: float = 0.5) -> float:
    """The age at which the span's packet loss reaches `most_loss`, found by bisection up to 100 y."""
    low, high = 0.0, 100 * YEAR_S
    for _ in range(40):
        middle = (low + high) / 2
        lost = aging_table(span, [middle], mode)[0].packet_loss
        low, high = (middle, high) if lost < most_loss else (low, middle)
    return low


def span_loss_db(span: Span) -> float:
    """Loss at its age in dB, repairs included, of the line or of each of its amplified spans."""
    length_m = span.distance_m / max(1, math.ceil(span.distance_m / LONGEST_SPAN_M))
    years = span.age_s / YEAR_S
    growth = 1 + GROWTH_PER_YEAR[span.condition] * years
    repairs = CUTS_PER_MILE_YEAR * length_m / MILE_M * years
    return NEW_DB_PER_KM * length_m / 1000 * growth + REPAIR_DB * repairs


def snr_db(span: Span) -> float:
    """SNR at the receiver at full rate: the FEC's limit, plus the margin, less what age took."""
    new = Span(span.distance_m, 0.0, span.condition, span.margin_db)
    return snr_for_ber(FEC_LIMIT_BER) + span.margin_db - (span_loss_db(span) - span_loss_db(new))


def ber_for_snr(snr: float) -> float:
    """Pre-FEC bit error ratio at an SNR in dB, between 0 and 0.5."""
    (x0, y0), (x1, y1) = _segment(snr, 0)
    exponent = math.log10(y0) + (snr - x0) / (x1 - x0) * math.log10(y1 / y0)
    return min(0.5, 10 ** max(-300.0, exponent))


def snr_for_ber(ber: float) -> float:
    """The SNR in dB at which the pre-FEC bit error ratio is `ber`: the inverse of `ber_for_snr`."""
    (x0, y0), (x1, y1) = _segment(-ber, 1)
    return x0 + (x1 - x0) * math.log(ber / y0) / math.log(y1 / y0)


def _segment(wanted: float, column: int) -> tuple[tuple[float, float], tuple[float, float]]:
    """The two neighbours in the table, by SNR (column 0) or by falling error ratio (column 1)."""
    ordered = [row[0] if column == 0 else -row[1] for row in MEASURED]
    index = sum(value <= wanted for value in ordered[1:-1])
    return MEASURED[index], MEASURED[index + 1]


def codeword_failure(ber: float) -> float:
    """Share of KP4 codewords with more symbol errors than the code corrects."""
    wrong = -math.expm1(SYMBOL_BITS * math.log1p(-ber))
    return min(
        1.0, math.fsum(_binomial(i, wrong) for i in range(CORRECTABLE + 1, CODE_SYMBOLS + 1))
    )


def _binomial(i: int, p: float) -> float:
    if p == 0.0:
        return 0.0
    logarithm = (
        math.lgamma(CODE_SYMBOLS + 1)
        - math.lgamma(i + 1)
        - math.lgamma(CODE_SYMBOLS - i + 1)
        + i * math.log(p)
        + (CODE_SYMBOLS - i) * math.log1p(-p)
    )
    return math.exp(logarithm)


def packet_loss(failure: float, packet_bytes: float = 1500) -> float:
    """Share of packets that touch a failed codeword; a packet of 1500 B touches 3.4 on average."""
    bits = (packet_bytes + FRAME_OVERHEAD_BYTES) * 8 * TRANSCODING
    codewords = 1 + bits / (DATA_SYMBOLS * SYMBOL_BITS)
    return 1.0 if failure >= 1 else -math.expm1(codewords * math.log1p(-failure))


def _at_step(span: Span, share: float, bits: int, packet_bytes: float) -> Aged:
    full = 2 ** STEPS[0][1] - 1
    snr = snr_db(span) + 10 * math.log10(full / (2**bits - 1))
    ber = ber_for_snr(snr)
    failure = codeword_failure(ber)
    return Aged(
        age_s=span.age_s,
        span_loss_db=span_loss_db(span),
        snr_db=snr,
        ber=ber,
        codeword_failure=failure,
        packet_loss=packet_loss(failure, packet_bytes),
        rate_share=share,
        closes=ber <= FEC_LIMIT_BER * (1 + 1e-9),
        cuts_per_year=CUTS_PER_MILE_YEAR * span.distance_m / MILE_M,
    )
