"""Self-contained pages: one file each, no network, no script but its own (by hash), everything escaped.

In: a template and what it shows. Out: the page as text. All pages share a frame, a style and a script, whose parts are
in `templates/script`: each a chapter, read in the order of SCRIPT, in one scope.
"""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from analysis import units
from analysis.legible import legible

_PAGE = Path(__file__).parent / "report" / "templates"
SCRIPT = ("common", "shared", "axis", "lanes", "tracks", "timeline", "map", "heat")
_FILTERS = (
    "time", "size", "throughput", "rate", "ratio", "distance", "percent", "error", "quantity",
    "interval", "money", "binary_size",
)  # fmt: skip


def render(template: str, **shown: Any) -> str:
    """A page. Its template extends the frame, and must be given a `headline`."""
    script = _script()
    return legible(
        _environment()
        .get_template(template)
        .render(
            style=(_PAGE / "report.css").read_text(encoding="utf-8"),
            script=script,
            script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
            **shown,
        )
    )


def _script() -> str:
    parts = ((_PAGE / "script" / f"{name}.js").read_text(encoding="utf-8") for name in SCRIPT)
    return '"use strict";\n(() => {\n' + "".join(parts) + "})();\n"


def _environment() -> Environment:
    found = Environment(
        loader=FileSystemLoader(_PAGE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters |= {name: getattr(units, name) for name in _FILTERS}
    found.filters["unbroken"] = lambda text: re.sub(
        r"(?<=\d) (?=[a-zµ%])", "\N{NO-BREAK SPACE}", text
    )
    found.filters["px"] = lambda value: f"{value:.1f}".removesuffix(".0")
    return found
