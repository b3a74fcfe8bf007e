"""Studies where the packages of the extra `study` are missing, as they are in a bundle."""

import subprocess
import sys

import pytest

from tests.study.conftest import ROOT, Desk

EVERY = ("pyarrow", "scipy", "SALib", "distributed", "dask_jobqueue")
FEW = "  links.*.distance: [10mi, 100mi, 500mi]\n  links.*.age: [0y, 1y]\n"
DRAWN = """\
  links.*.distance: {range: [10mi, 100mi]}
  links.*.age: {range: [0y, 1y]}
"""


def without(desk: Desk, *words: str) -> tuple[int, str, str]:
    """What a command line says where none of the packages can be imported."""
    hidden = "; ".join(f"sys.modules[{name!r}] = None" for name in EVERY)
    code = f"import sys; {hidden}; from longhaul.cli import main; sys.exit(main(sys.argv[1:]))"
    done = subprocess.run(
        [sys.executable, "-c", code, *words],
        cwd=desk.path,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    ("vary", "more", "words", "missing"),
    [
        (FEW, "", [], "pyarrow"),
        (FEW, "depth: model\n", [], "pyarrow, SciPy"),
        (DRAWN, "design: sobol\npoints: 64\n", [], "pyarrow, SciPy, SALib"),
        (FEW, "", ["--dask", "tcp://127.0.0.1:1"], "pyarrow, Dask"),
        (FEW, "", ["--slurm", "2"], "pyarrow, Dask, dask-jobqueue"),
    ],
)
def test_what_is_missing_is_said_in_one_line_before_any_work(
    desk: Desk, vary: str, more: str, words: list[str], missing: str
) -> None:
    desk.write("small", vary, more)
    status, out, said = without(desk, "study", "run", "small.yaml", *words)
    assert (status, out) == (2, "")
    assert said == (
        f"longhaul: this study needs {missing}, which this longhaul does not have: run it in a checkout "
        "after `./setup.sh python` (a bundle is without them, to stay small)\n"
    )
    assert not (desk.path / "runs").exists()


def test_all_that_only_reads_works_without_them(desk: Desk) -> None:
    desk.write("small", FEW, "")
    status, out, said = without(desk, "validate", "small.yaml")
    assert (status, out, said) == (0, "small.yaml: study small, well-formed\n", "")
    status, _, said = without(desk, "study", "status", "small.yaml")
    assert (status, said) == (
        2,
        "longhaul: runs/studies/small: no study has been begun there\n",
    )
