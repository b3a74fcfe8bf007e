"""An attribution as one self-contained page, with its waterfall.

In: what `analysis.series.attribution` found, with its runs. Out: `attribution.html`.
"""

from __future__ import annotations

from pathlib import Path

from analysis import pages
from analysis.form.attribution import Attribution
from analysis.pictures.waterfall import waterfall
from analysis.series.verdict import (
    detectable,
    headline,
    money_verdict,
    remedy_detectable,
    verdict,
)


def write_page(found: Attribution, path: Path) -> Path:
    """Write the page, and return its path."""
    text = pages.render(
        "attribution.html.j2",
        found=found,
        headline=headline(found),
        verdict=verdict(found.remedies) if found.remedies else None,
        money=money_verdict(found.remedies, found.turning) if found.remedies else None,
        detectable=remedy_detectable,
        seen=detectable,
        waterfall=waterfall(found),
        unfaithful=[one for one in found.runs if not one.faithful],
    )
    path.write_text(text, encoding="utf-8")
    return path
