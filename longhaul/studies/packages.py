"""What a study needs beside longhaul itself: the packages of the extra `study`, which a bundle does not have.

In: a study and the means. Out: nothing, or one error that names what is missing, before any work begins.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec

from scenario.errors import WrongInput
from scenario.study.loading import BLOCKS
from scenario.types.study import Study

MODULES = {
    "pyarrow": "pyarrow",
    "SciPy": "scipy",
    "SALib": "SALib",
    "Dask": "distributed",
    "dask-jobqueue": "dask_jobqueue",
}


class NotInstalled(WrongInput):
    """Packages that a study needs and this longhaul has not."""


def check_installed(study: Study, *, dask: bool = False, slurm: bool = False) -> None:
    """Whether all that it needs is there. Raises NotInstalled."""
    missing = [name for name in _needed(study, dask, slurm) if find_spec(MODULES[name]) is None]
    if missing:
        raise NotInstalled(
            f"this study needs {', '.join(missing)}, which this longhaul does not have: run it in a checkout "
            "after `./setup.sh python` (a bundle is without them, to stay small)"
        )


def _needed(study: Study, dask: bool, slurm: bool) -> Iterator[str]:
    yield "pyarrow"  # writes the table
    if study.depth == "model" or study.design in (*BLOCKS, "latin-hypercube"):
        yield "SciPy"
    if study.design in BLOCKS:
        yield "SALib"
    if dask or slurm:
        yield "Dask"
    if slurm:
        yield "dask-jobqueue"
