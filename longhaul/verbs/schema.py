"""`longhaul schema`: what editors complete from, and what programs that read a summary can hold it against."""

from __future__ import annotations

import argparse

from longhaul.verbs.arguments import Verbs, verb
from longhaul.verbs.printing import as_json, file, put


def add(verbs: Verbs) -> None:
    """The verb and its arguments."""
    made = verb(
        verbs, "schema", schema,
        "print the JSON Schema of topology, workload or study files, or of a run's summary.json",
        "longhaul schema topology > topology.schema.json",
    )  # fmt: skip
    made.add_argument("kind", choices=("topology", "workload", "study", "summary"))
    file(made)


def schema(words: argparse.Namespace) -> int:
    """Print a schema."""
    from analysis.form.summary import summary_schema
    from scenario.json_schema import schema as schema_of

    found = summary_schema() if words.kind == "summary" else schema_of(words.kind)
    put(words, as_json(found))
    return 0
