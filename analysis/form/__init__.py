"""The files that analysis writes, each defined once: `summary.json`, `bench.json`, `attribution.json`.

In: findings, or a file of a run folder. Out: the one as the other, and its JSON Schema. Structs of msgspec, whose
attributes are the files' keys; importing them takes neither polars nor rich. A file of another version, or one that
is damaged, is refused in one line (`RunError`).
"""

from analysis.form.attribution import Attribution
from analysis.form.benchmark import BenchmarkTable
from analysis.form.files import read, write
from analysis.form.serving import Service
from analysis.form.summary import (
    ServingSummary,
    Summary,
    TrainingSummary,
    read_summary,
    summary_schema,
)

__all__ = [
    "Attribution",
    "BenchmarkTable",
    "Service",
    "ServingSummary",
    "Summary",
    "TrainingSummary",
    "read",
    "read_summary",
    "summary_schema",
    "write",
]
