"""The keys that say what a link does to packets: alike for a link, for one of its directions, for `degrade`."""

from __future__ import annotations

from scenario.text.fields import Delay, Jitter, Loss, Rate, Share
from scenario.text.strict import Strict
from scenario.types.impairments import IMPAIRMENTS

WRITTEN = {field.removesuffix("_s"): field for field in IMPAIRMENTS}
"""The impairment that each field of the models stands for."""
FIELDS = {"rate": "rate_bps", "delay": "delay_s"} | WRITTEN
"""The same, with rate and delay: fields of `Direction`."""


class Impaired(Strict):
    """What a link does to packets."""

    rate: Rate | None = None
    """Rate."""
    delay: Delay | None = None
    """One-way delay."""
    jitter: Jitter | None = None
    """Spread of the delay (standard deviation)."""
    loss: Loss | None = None
    """Share of packets lost."""
    loss_correlation: Share | None = None
    """How much the fate of a packet resembles that of the one before: losses in bursts."""
    corruption: Loss | None = None
    """Share of packets that arrive with a flipped bit."""
    reorder: Share | None = None
    """Share of packets that overtake others."""
    duplicate: Share | None = None
    """Share of packets that arrive twice."""


def said(*models: Impaired, fields: dict[str, str] = FIELDS) -> dict[str, float]:
    """The fields that any of some models gives; the first one's word counts."""
    given: dict[str, float] = {}
    for key, field in fields.items():
        values = (getattr(model, key) for model in models)
        value = next((value for value in values if value is not None), None)
        if value is not None:
            given[field] = value
    return given
