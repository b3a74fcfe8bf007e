"""From records to the table of a study: a row per point and seed, the columns named by what is varied and measured.

In: a study, its points, their records. Out: a Polars frame, the same for the same records; and `results.parquet`, whose
columns' metadata have their units.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from analysis.series.shapley import Causes
from analysis.studies.measures import LOST, VERDICT, unit
from analysis.studies.ruling import decided, ruled
from longhaul.studies.store import Record
from scenario.text.units import QUANTITIES
from scenario.types.study import DOWN, Study, StudyPoint

FILE = "results.parquet"
UNITS = "units"
"""The key of the file's metadata that has the units of all columns, as JSON."""
UNIT = "unit"
"""The key of a column's own metadata."""


@dataclass(frozen=True)
class WantedRow:
    """What a point under a seed needs: the key of its record; and of one for each set of causes in force, where a
    verdict by causes is asked of the fabric. `broken`: why it cannot even be begun."""

    point: StudyPoint
    seed: int | None
    depth: str
    key: str = ""
    without: Mapping[Causes, str] | None = None
    broken: str | None = None

    @property
    def keys(self) -> tuple[str, ...]:
        """All of them, its own first."""
        rest = (self.without or {}).values()
        return tuple(dict.fromkeys((self.key, *rest))) if self.key else ()


def table(study: Study, wanted: Sequence[WantedRow], records: Mapping[str, Record]) -> pl.DataFrame:
    """All rows, by depth, point and seed."""
    rows = [_row(study, one, records) for one in wanted]
    names = list(dict.fromkeys(name for row in rows for name in row["figures"]))
    asked = [name for name in study.measure if name != VERDICT]
    causes = sorted(name for name in names if name.startswith(f"{LOST}.") and study.rules_verdict)
    schema = dict(_schema(study, [*asked, *causes]))
    flat = [
        row["own"] | {name: row["figures"].get(name) for name in (*asked, *causes)} for row in rows
    ]
    return pl.DataFrame(flat, schema=schema, orient="row")


def write(found: pl.DataFrame, study: Study, path: Path) -> None:
    """Whole or not at all; with its unit in the metadata of every column that has one, and all of them as JSON in the
    file's."""
    import pyarrow  # noqa: PLC0415 - a third of a second, for those who ask for it

    known = units(found, study)
    fields = [
        one.with_metadata({UNIT: known[one.name]}) if one.name in known else one
        for one in found.head(0).to_arrow().schema
    ]
    partial = path.with_name(f".{path.name}.partial")
    found.write_parquet(
        partial,
        compression="zstd",
        metadata={UNITS: json.dumps(known)},
        arrow_schema=pyarrow.schema(fields),
    )
    partial.rename(path)


def units(found: pl.DataFrame, study: Study) -> dict[str, str]:
    """By column: `s`, `m`, `1` of a share, empty of a count."""
    known = {one.path: _unit(one.spread.quantity) for one in study.varied if one.spread.measured}
    for name in found.columns:
        if name in study.measure and (own := unit(name)) is not None:
            known[name] = own
        elif name.startswith(LOST):
            known[name] = "1"
    return known


def _unit(quantity: str) -> str:
    return QUANTITIES[quantity].si if quantity else ""


def read_units(path: Path) -> dict[str, str]:
    """What `write` has said of the columns of a file."""
    found: dict[str, str] = json.loads(pl.read_parquet_metadata(path).get(UNITS, "{}"))
    return found


def _schema(
    study: Study, figures: Sequence[str]
) -> Iterator[tuple[str, pl.DataType | type[pl.DataType]]]:
    yield from (("depth", pl.String), ("point", pl.Int32), ("seed", pl.Int32))
    for one in study.varied:
        yield one.path, pl.Float64 if one.spread.measured else pl.String
    yield from (("status", pl.String), ("reason", pl.String))
    for name in figures:
        yield name, pl.Float64
    if study.rules_verdict:
        yield VERDICT, pl.String
    yield from (("faithful", pl.Boolean), ("digest", pl.String))


def _row(
    study: Study, one: WantedRow, records: Mapping[str, Record]
) -> dict[str, dict[str, object]]:
    found = Record(reason=one.broken) if one.broken else records.get(one.key)
    status = _status(found)
    found = found or Record()
    figures, verdict = dict(found.figures), found.verdict
    if one.without and status == "done":
        figures, verdict, status = _by_causes(one, figures, records)
    if study.verdict:
        verdict = decided(study.verdict[1], figures) if status == "done" else None
    if status == DOWN and study.rules_verdict and not study.verdict:
        verdict = DOWN
    own: dict[str, object] = {"depth": one.depth, "point": one.point.index, "seed": one.seed}
    own |= dict(one.point.known(study))
    own |= {"status": status, "reason": found.reason}
    own |= {VERDICT: verdict} if study.rules_verdict else {}
    own |= {
        "faithful": found.faithful if status == "done" else None,
        "digest": found.digest or None,
    }
    return {"own": own, "figures": dict(figures)}


def _status(found: Record | None) -> str:
    if found is None:
        return "missing"
    return DOWN if found.down else "failed" if found.failed else "done"


def _by_causes(
    one: WantedRow, figures: dict[str, float], records: Mapping[str, Record]
) -> tuple[dict[str, float], str | None, str]:
    """The verdict of the fabric, from the runs without each set of causes."""
    assert one.without
    runs = {acting: records.get(key) for acting, key in one.without.items()}
    if any(run is None for run in runs.values()):
        return figures, None, "missing"
    times = {
        acting: run.figures["iterations.mean_s"]
        for acting, run in runs.items()
        if run and "iterations.mean_s" in run.figures
    }
    if len(times) < len(runs):
        return figures, None, "failed"
    causes = sorted(max(times, key=lambda acting: len(list(acting))))
    ideal_s = figures.get("stalls.one_campus.iteration_s")
    if ideal_s is None:
        return figures, None, "done"
    ruling = ruled(times, causes, ideal_s)
    return figures | ruling.figures(), ruling.verdict, "done"
