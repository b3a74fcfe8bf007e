"""`longhaul schema`: what editors complete from."""

from __future__ import annotations

import argparse
import json

from longhaul.verbs.arguments import Verbs, verb


def add(verbs: Verbs) -> None:
    """The verb and its arguments."""
    made = verb(
        verbs, "schema", schema, "print the JSON Schema of topology or workload files",
        "longhaul schema topology > topology.schema.json",
    )  # fmt: skip
    made.add_argument("kind", choices=("topology", "workload"))


def schema(words: argparse.Namespace) -> int:
    """Print a schema that editors complete from."""
    from scenario.loading import schema as schema_of

    print(json.dumps(schema_of(words.kind), indent=1, ensure_ascii=False))
    return 0
