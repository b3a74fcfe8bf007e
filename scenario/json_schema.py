"""The languages as JSON Schema, for editors: completion, documentation and errors while typing.

Generated from the models, so that it cannot drift from what is accepted. It knows the form only;
what makes no sense (a link to an unknown campus) it cannot tell.
"""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter

from scenario.loading import Language
from scenario.study.language import StudyModel
from scenario.text.units import QUANTITIES, write
from scenario.topology.models import TopologyModel
from scenario.workload.kinds import WorkloadField

LANGUAGES: dict[Language, TypeAdapter[Any]] = {
    "topology": TypeAdapter(TopologyModel),
    "workload": TypeAdapter(WorkloadField),
    "study": TypeAdapter(StudyModel),
}


def schema(language: Language = "topology") -> dict[str, Any]:
    """The JSON Schema (2020-12) of topology, workload or study files."""
    generated = _loosened(LANGUAGES[language].json_schema(by_alias=True))
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **generated}


def _loosened(generated: dict[str, Any]) -> dict[str, Any]:
    """The schema of what is written, where anything but the version may be inherited or included."""
    readable = _readable(generated)
    for part in readable["$defs"].values():
        if not {"event", "check"} & part["properties"].keys():  # in lists nothing is inherited
            part.pop("required", None)
        for written in part["properties"].values():
            if "oneOf" in written:  # without its kind, a fabric may be one of several
                written["anyOf"] = written.pop("oneOf")
    if "oneOf" in readable:  # nor need a file say its kind, if it includes one that does
        readable["anyOf"] = readable.pop("oneOf")
    return readable | {"required": ["longhaul"]}


def _readable(part: dict[str, Any]) -> dict[str, Any]:
    """A schema with its defaults as people write them, and without what says nothing."""
    kept = {key: _inside(key, value) for key, value in part.items() if key not in _DROPPED}
    if "patternProperties" in part:
        kept["additionalProperties"] = False
        for name, named in kept["patternProperties"].items():  # `null` takes back what is included
            kinds = named.get("oneOf", [named])
            kept["patternProperties"][name] = {"anyOf": [*kinds, {"type": "null"}]}
    default = shown_default(part)
    if default is not None:
        kept["default"] = default
    return kept


def shown_default(part: dict[str, Any]) -> str | int | float | None:
    """A property's default as people write it, or None where it has none worth showing."""
    default = part.get("default")
    if isinstance(default, float) and "x-quantity" in part:
        return write(default, QUANTITIES[part["x-quantity"]])
    shown = isinstance(default, (str, int, float)) and default != ""
    return default if shown else None


_DROPPED = ("default", "title", "x-quantity", "discriminator")


def _inside(key: str, value: Any) -> Any:
    if key in ("properties", "$defs", "patternProperties"):
        return {name: _readable(part) for name, part in value.items()}
    if isinstance(value, dict):
        return _readable(value)
    if isinstance(value, list):
        return [_readable(one) if isinstance(one, dict) else one for one in value]
    return value
