"""The notebooks of labs/ are executed, cell by cell, by Jupyter's own client; none of their cells takes long."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from tests.analysis.make_run import make_run, uniform

ROOT = Path(__file__).parents[2]
NOTEBOOKS = ("run", "study", "analysis")
SLOWEST_S = 90.0
"""Of a cell, on a machine that does much else."""


@pytest.mark.slow
@pytest.mark.parametrize("name", NOTEBOOKS)
def test_every_cell_of_a_notebook_runs(
    name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    kernel: Path,  # noqa: ARG001
) -> None:
    for folder in ("topologies", "traffic"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    monkeypatch.setenv("CHECKOUT", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("RUN", str(make_run(tmp_path / "run", uniform(4, slowdown={2: 1.5}))))
    book = nbformat.read(ROOT / "labs" / f"{name}.ipynb", as_version=4)
    client = NotebookClient(
        book, timeout=SLOWEST_S, resources={"metadata": {"path": str(tmp_path)}}
    )
    client.execute()
    cells = [cell for cell in book.cells if cell.cell_type == "code"]
    assert len(cells) >= 4
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert _said(cells)


def _said(cells: list[Any]) -> bool:
    return any(
        output.output_type in ("stream", "execute_result")
        for one in cells
        for output in one.outputs
    )
