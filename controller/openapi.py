"""What the northbound API takes and answers, as OpenAPI 3.0: served at `/v1/openapi.json`, held by its tests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Schema = dict[str, Any]

_ERROR: Schema = {
    "type": "object",
    "required": ["error"],
    "properties": {"error": {"type": "string"}},
}
_OBJECT: Schema = {"type": "object"}
_LINK: Schema = {
    "type": "object",
    "required": ["name", "up", "used"],
    "properties": {
        "name": {"type": "string"},
        "up": {"type": "boolean"},
        "used": {"type": "boolean"},
    },
}
_STATE: Schema = {
    "type": "object",
    "required": ["state"],
    "additionalProperties": False,
    "properties": {"state": {"type": "string", "enum": ["avoid", "use"]}},
}


def _name(links: Sequence[str]) -> Schema:
    known = {"type": "string", "enum": list(links)}
    return {"name": "name", "in": "path", "required": True, "schema": known}


def _json(schema: Schema) -> Schema:
    return {"application/json": {"schema": schema}}


def _answers(schema: Schema, **refusals: str) -> Schema:
    """The answers of an operation: what it gives, and why it may refuse, by status."""
    found = {"200": {"description": "as asked", "content": _json(schema)}}
    busy = {"_503": "the controller is busy"}
    for status, why in (refusals | busy).items():
        found[status.lstrip("_")] = {"description": why, "content": _json(_ERROR)}
    return found


def _look(summary: str) -> Schema:
    return {"get": {"summary": summary, "responses": _answers(_OBJECT)}}


def description(links: Sequence[str]) -> Schema:
    """The whole of it, for a fabric with these links."""
    nowhere = {"_404": "there is no such link", "_400": "what was sent is no request"}
    body = {"required": True, "content": _json(_STATE)}
    return {
        "openapi": "3.0.3",
        "info": {"title": "longhaul's northbound API", "version": "1"},
        "paths": {
            "/v1/topology": _look("switches, ports, links"),
            "/v1/routes": _look("policy, rules and groups"),
            "/v1/counters": _look("packets and bytes by port and by rule"),
            "/v1/differences": _look("what is otherwise than planned"),
            "/v1/openapi.json": _look("this description"),
            "/v1/links/{name}": {
                "parameters": [_name(links)],
                "get": {"summary": "one link", "responses": _answers(_LINK, **nowhere)},
                "post": {
                    "summary": "have a link avoided, or used again",
                    "requestBody": body,
                    "responses": _answers(_LINK, **nowhere),
                },
            },
        },
    }
