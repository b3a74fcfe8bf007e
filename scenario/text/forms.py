"""Which model describes a spot of a document: the keys that may stand there, and what they mean.

A spot is a location as pydantic reports it: keys and indices, with the tag of a union after the key
that holds it (`campuses`, `c1`, `fabric`, `leaf-spine`, `leaves`).
"""

from __future__ import annotations

import types
from typing import Annotated, Any, Literal, TypeAlias, Union, get_args, get_origin

from pydantic import BaseModel

from scenario.text.strict import documented

Location: TypeAlias = tuple[str | int, ...]
DISCRIMINATORS = ("kind", "event", "check")
"""The keys that tell the members of a union apart."""
_CONTAINERS = ("list[", "dict[", "function-")
"""How pydantic's names begin for members of a union that are no class."""


def known_keys(model: type[BaseModel], loc: Location) -> list[str]:
    """The keys that the mapping at `loc` of a document of `model` may have."""
    found = _model_at(model, loc)
    return [field.alias or name for name, field in found.model_fields.items()] if found else []


def keys_of_any(model: type[BaseModel], loc: Location) -> list[str]:
    """The keys that a mapping at `loc` may have, whichever of the models that stand there it is of."""
    members = _members(_at(model, loc))
    return [field.alias or name for one in members for name, field in one.model_fields.items()]


def known_kinds(model: type[BaseModel], loc: Location) -> list[str]:
    """The values of its discriminator between which the mapping at `loc` may choose."""
    return [kind for member in _members(_at(model, loc)) for kind in _tags(member)]


def description(model: type[BaseModel], loc: Location) -> str:
    """What is documented of the field at `loc`, as a phrase; empty where nothing is."""
    owner = _model_at(model, loc[:-1])
    fields = owner.model_fields.items() if owner else []
    said = documented(owner) if owner else {}
    found = [said.get(name, "") for name, field in fields if (field.alias or name) == loc[-1]]
    return _phrase(found[0]) if found else ""


def _phrase(sentence: str) -> str:
    """A sentence without its full stop, its first word small unless it is an acronym."""
    bare = " ".join(sentence.split()).rstrip(".")
    return bare if bare[1:2].isupper() else bare[:1].lower() + bare[1:]


def _model_at(model: type[BaseModel], loc: Location) -> type[BaseModel] | None:
    members = _members(_at(model, loc))
    return members[0] if len(members) == 1 else None


def _at(annotation: Any, loc: Location) -> Any:
    """The type that `loc` leads to, or None."""
    for step in loc:
        annotation = _below(_bare(annotation), step)
    return _bare(annotation)


def branch_at(model: type[BaseModel], loc: Location) -> int | None:
    """Where in `loc` the first step is that pydantic has added for a member of a union without tags."""
    annotation: Any = model
    for index, step in enumerate(loc):
        annotation = _bare(annotation)
        if annotation is Any or annotation is None:
            return None
        if str(step).startswith(_CONTAINERS) or step in _labels(annotation):
            return index
        annotation = _below(annotation, step)
    return None


def _below(annotation: Any, step: str | int) -> Any:
    containers = [one for one in _alternatives(annotation) if get_origin(one) in (dict, list)]
    if containers:
        return get_args(containers[0])[-1]
    members = _members(annotation)
    if len(members) > 1 and any(map(_tags, members)):
        return next((member for member in members if step in _tags(member)), None)
    fields = [pair for member in members for pair in member.model_fields.items()]
    matching = [field.annotation for name, field in fields if step == (field.alias or name)]
    return matching[0] if matching else None


def _members(annotation: Any) -> list[type[BaseModel]]:
    """The models that a type allows: itself, or those of a union."""
    candidates = _alternatives(annotation)
    return [c for c in candidates if isinstance(c, type) and issubclass(c, BaseModel)]


def _labels(annotation: Any) -> list[str]:
    """What pydantic calls the members of a union in paths, but for lists and the like; of anything else nothing."""
    members = _alternatives(annotation)
    return [one.__name__ for one in members if isinstance(one, type)] if len(members) > 1 else []


def _alternatives(annotation: Any) -> list[Any]:
    """What a type allows beside nothing: itself, or the members of a union."""
    union = get_origin(annotation) in (Union, types.UnionType)
    candidates = [_bare(a) for a in get_args(annotation)] if union else [annotation]
    return [one for one in candidates if one is not type(None)]


def _tags(model: type[BaseModel]) -> tuple[Any, ...]:
    fields = [model.model_fields[key] for key in DISCRIMINATORS if key in model.model_fields]
    literal = [f.annotation for f in fields if get_origin(f.annotation) is Literal]
    return get_args(literal[0]) if literal else ()


def _bare(annotation: Any) -> Any:
    return get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation
