"""A bare name that is short for a mapping: `routing: ecmp`, `transport: roce`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import GetJsonSchemaHandler
from pydantic_core import CoreSchema

from scenario.text.tree import Entry, Mapping, Scalar


class Short:
    """Says in the JSON Schema that one of some names may stand for the mapping."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = list(names)

    def __get_pydantic_json_schema__(
        self, core: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"anyOf": [{"enum": self._names}, handler(core)]}


def spelled_out(root: Mapping, key: str, meant: str) -> Mapping:
    """A mapping with `key: NAME` written as what it is short for, `key: {meant: NAME}`."""
    entry = root.entries.get(key)
    if not entry or not isinstance(entry.node, Scalar) or not isinstance(entry.node.value, str):
        return root
    place = entry.node.place
    whole = Mapping(place, {meant: Entry(place, entry.node)})
    return Mapping(root.place, root.entries | {key: Entry(entry.place, whole)})
