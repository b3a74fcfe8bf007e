"""The JSON Schema accepts what the loader accepts, and sees the slips an editor should see."""

import functools
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from scenario.json_schema import schema
from scenario.loading import Language
from scenario.text.reading import read_file, read_text
from scenario.text.tree import plain

ROOT = Path(__file__).parents[2]
SHIPPED: list[tuple[Path, Language]] = [
    *((path, "topology") for path in sorted((ROOT / "topologies").glob("*.yaml"))),
    *((path, "workload") for path in sorted((ROOT / "traffic" / "workloads").glob("*.yaml"))),
    *((path, "study") for path in sorted((ROOT / "studies").glob("*.yaml"))),
]


@functools.cache
def _validator(language: Language) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(schema(language))


@pytest.mark.parametrize(
    ("path", "language"), SHIPPED, ids=lambda value: getattr(value, "stem", "")
)
def test_every_shipped_file_fits_the_schema(path: Path, language: Language) -> None:
    _validator(language).validate(plain(read_file(path)))


@pytest.mark.parametrize("language", ["topology", "workload", "study"])
def test_the_schema_is_a_schema(language: Language) -> None:
    jsonschema.Draft202012Validator.check_schema(schema(language))


@pytest.mark.parametrize(
    "slip",
    [
        "links: {a: {distance: 10}}",
        "links: {a: {distance: 10 light years}}",
        "links: {a: {lenght: 10km}}",
        "campuses: {C1: {hosts: [{count: 1, accelerator: H100}]}}",
        "campuses: {c1: {hosts: [{count: 0, accelerator: H100}]}}",
        "mtu: big",
        "timeline: [{event: link-down, link: a, at: 3}]",
        "timeline: [{event: link-donw, link: a, at: 3s}]",
        "timeline: [{event: link-down, at: 3s}]",
        "timeline: [{event: crash, link: a, at: 3s}]",
        "timeline: [{link: a, at: 3s}]",
        "links: {a: {flaps: {mtbf: 3}}}",
    ],
)
def test_the_schema_sees_a_slip(slip: str) -> None:
    good = "longhaul: 1\nname: x\n"
    document = plain(read_text(good + slip, "slip.yaml"))
    with pytest.raises(jsonschema.ValidationError):
        _validator("topology").validate(document)


def test_every_key_is_documented() -> None:
    undocumented = [
        f"{owner}.{key}"
        for language in ("topology", "workload", "study")
        for owner, properties in _properties(schema(language))
        for key, part in properties.items()
        if not part.get("description")
    ]
    assert undocumented == []


def _properties(whole: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    parts = {"": whole} | whole["$defs"]
    return [(name, part["properties"]) for name, part in parts.items() if "properties" in part]
