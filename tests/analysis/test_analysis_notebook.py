"""The notebook's cells run, one after another, on a run folder."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.analysis.make_run import make_run, uniform

ROOT = Path(__file__).parents[2]
NOTEBOOK = ROOT / "labs" / "analysis.ipynb"


def test_every_cell_of_the_notebook_runs(tmp_path: Path) -> None:
    path = make_run(tmp_path / "run", uniform(4, slowdown={2: 1.5}))
    cells = json.loads(NOTEBOOK.read_text())["cells"]
    source = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    environment = os.environ | {"RUN": str(path), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", source], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "of the GPU time lost to stragglers" in done.stdout
