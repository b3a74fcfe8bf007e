"""What gateways and replicas are told to do: the one form, and its reader. Standard library alone."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from traffic.host.transport import Settings, read_settings
from traffic.serving.batching import Speed


class Called(NamedTuple):
    """A replica that a gateway can send to: propagation to it takes `distance_ns` one way."""

    rank: int
    address: str
    distance_ns: int


class Due(NamedTuple):
    """A request: due so long after the start, with so many tokens of prompt and of answer; `padding_bytes`
    follow its header, as carried."""

    number: int
    at_ns: int
    prompt: int
    output: int
    padding_bytes: int


@dataclass(frozen=True)
class GatewayProgram:
    """Requests to be sent, in their order, to replicas as `routing` chooses; where there are `readers`, to one of
    those, too, which reads the prompt. A token that comes back has `token_bytes`, as carried."""

    routing: str
    replicas: tuple[Called, ...]
    readers: tuple[Called, ...]
    requests: tuple[Due, ...]
    token_bytes: int
    transport: Settings


@dataclass(frozen=True)
class ReplicaProgram:
    """So many `gateways` will call at `address`; requests are worked on in batches, at a `speed`.

    One that only reads prompts hands contexts, so many bytes as carried for each token, to `answerers` (addresses); one
    that only answers is called by so many `readers`."""

    rank: int
    address: str
    gateways: int
    speed: Speed
    batch_requests: int
    batch_tokens: int
    token_bytes: int
    transport: Settings
    answerers: tuple[str, ...] = ()
    context_token: float = 0.0
    readers: int = 0


def read_gateway(path: Path) -> GatewayProgram:
    """What `traffic.host.program.written` has written."""
    found = json.loads(path.read_text(encoding="utf-8"))
    for pool in ("replicas", "readers"):
        found[pool] = tuple(Called(*row) for row in found[pool])
    found["requests"] = tuple(Due(*row) for row in found["requests"])
    found["transport"] = read_settings(found["transport"])
    return GatewayProgram(**found)


def read_replica(path: Path) -> ReplicaProgram:
    """What `traffic.host.program.written` has written."""
    found = json.loads(path.read_text(encoding="utf-8"))
    found["speed"] = Speed(**found["speed"])
    found["transport"] = read_settings(found["transport"])
    return ReplicaProgram(**found)
