"""Published training throughput beside what the catalogue's entries give: the rows of published.csv, reckoned."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from scenario.text.shape import check
from scenario.text.tree import Mapping, at
from scenario.topology.catalogue import accelerator, catalogue
from scenario.topology.models import AcceleratorModel
from scenario.types.achieved import FLOP_PER_PARAMETER, achieved_flops
from scenario.types.topology import Accelerator

FILE = Path(__file__).parent / "published.csv"


@dataclass(frozen=True)
class Published:
    """A row, and what our entry says of it, in tokens per second and GPU."""

    accelerator: str
    precision: str
    parameters: float
    tokens_per_s: float
    held_out: bool
    source: str
    ours_per_s: float
    mfu: float | None
    mfu_with_attention: float | None

    @property
    def error(self) -> float:
        """Ours against the published."""
        return self.ours_per_s / self.tokens_per_s - 1


def chip(name: str) -> Accelerator:
    """An accelerator of the catalogue."""
    written = at(catalogue(), name)
    assert isinstance(written, Mapping)
    return accelerator(name, check(written, AcceleratorModel))


def rows() -> list[Published]:
    """All of them."""
    lines = [line for line in FILE.read_text("utf-8").splitlines() if not line.startswith("#")]
    return [_row(row) for row in csv.DictReader(lines)]


def _row(row: dict[str, str]) -> Published:
    parameters, per_gpu = float(row["parameters"]), float(row["tokens_per_s"]) / float(row["gpus"])
    flop = FLOP_PER_PARAMETER * parameters
    attention = 12 * float(row["layers"]) * float(row["hidden"]) * float(row["sequence"])
    counted = flop - FLOP_PER_PARAMETER * float(row["embedding"])
    counted += attention * float(row["attention"] or 0)
    return Published(
        accelerator=row["accelerator"],
        precision=row["precision"],
        parameters=parameters,
        tokens_per_s=per_gpu,
        held_out=row["use"] == "out",
        source=row["source"],
        ours_per_s=achieved_flops(chip(row["accelerator"]).achieved, row["precision"], parameters)
        / flop,
        mfu=float(row["mfu"]) if row["mfu"] else None,
        mfu_with_attention=per_gpu * counted / (float(row["peak"]) * 1e12) if row["mfu"] else None,
    )
