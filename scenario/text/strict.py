"""What every mapping of the languages has in common, and what is documented of its keys."""

from __future__ import annotations

import ast
import inspect
import sys
from functools import cache
from itertools import pairwise

from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema


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
    )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """With what is documented of each key."""
        made = handler(core_schema)
        properties = handler.resolve_ref_schema(made).get("properties", {})
        said = documented(cls)
        for name, field in cls.model_fields.items():
            for key in {field.alias, name} & properties.keys() if name in said else ():
                properties[key].setdefault("description", said[name])
        return made


@cache
def documented(model: type[BaseModel]) -> dict[str, str]:
    """The texts that stand beneath the fields of a model, and of those that it inherits from, by the fields' names.

    Sources are read when somebody asks. pydantic itself would read one for each class whenever the languages are
    loaded (`use_attribute_docstrings`), which takes it longer than all else that it does then.
    """
    found: dict[str, str] = {}
    for one in reversed(model.__mro__):
        if issubclass(one, Strict):
            found |= _of_module(one.__module__).get(one.__name__.partition("[")[0], {})
    return found


@cache
def _of_module(name: str) -> dict[str, dict[str, str]]:
    """The same of every class of a module."""
    source = ast.parse(inspect.getsource(sys.modules[name]))
    return {
        part.name: {
            field.target.id: inspect.cleandoc(text.value.value)
            for field, text in pairwise(part.body)
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
            and isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant)
            and isinstance(text.value.value, str)
        }
        for part in source.body
        if isinstance(part, ast.ClassDef)
    }  # fmt: skip
