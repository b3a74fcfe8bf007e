"""What every mapping of the languages has in common."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


def hyphened(field: str) -> str:
    """A field's key in a file."""
    return field.replace("_", "-")


class Strict(BaseModel):
    """A mapping that takes the named keys only, and no value of another type than the field's."""

    model_config = ConfigDict(
        defer_build=True,
        extra="forbid",
        frozen=True,
        strict=True,
        alias_generator=hyphened,
        use_attribute_docstrings=True,
    )
