"""An attribution as one self-contained page with its waterfall, and as data.

In: what `analysis.series.attribution` found, with its runs. Out: `attribution.html`, `attribution.json`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from analysis import pages
from analysis.pictures.waterfall import waterfall
from analysis.series.verdict import headline, verdict

Data = Mapping[str, Any]


def write_page(found: Data, path: Path) -> Path:
    """Write the page, and return its path."""
    text = pages.render(
        "attribution.html.j2",
        found=found,
        headline=headline(found),
        verdict=verdict(found["remedies"]) if "remedies" in found else None,
        waterfall=waterfall(found),
        unfaithful=[one for one in found["runs"] if not one["faithful"]],
    )
    path.write_text(text, encoding="utf-8")
    return path


def write_json(found: Data, path: Path) -> None:
    """Write what was found, as data."""
    path.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
