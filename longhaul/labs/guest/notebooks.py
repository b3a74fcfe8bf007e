"""A student's notebook, its cells carried out one after another without Jupyter. Runs inside a guest."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def carried_out(file: str, variable: str) -> dict[str, Any]:
    """How many cells of code ran, and the value of a variable at the end. Raises what a cell raises, with its
    number."""
    cells = json.loads(Path(file).read_text(encoding="utf-8"))["cells"]
    sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    names: dict[str, Any] = {"__name__": "__main__"}
    for number, source in enumerate(sources, start=1):
        try:
            exec(compile(source, f"cell {number}", "exec"), names)
        except Exception as error:
            raise RuntimeError(f"cell {number}: {type(error).__name__}: {error}") from None
    if variable not in names:
        raise RuntimeError(f"no cell sets {variable}")
    return {"cells": len([one for one in sources if one.strip()]), "value": names[variable]}
