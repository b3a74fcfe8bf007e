"""What an inference workload is once read: frozen, validated, in SI units."""

from __future__ import annotations

from dataclasses import dataclass

from scenario.types.topology import Workload


@dataclass(frozen=True)
class Tokens:
    """How many tokens a prompt or an answer has, drawn from a distribution: `fixed`, `geometric` or
    `log-normal` (with the coefficient of variation `cv`). Draws above `most` are cut to it."""

    distribution: str
    mean: float
    cv: float
    most: int


@dataclass(frozen=True)
class Arrivals:
    """When requests arrive, over all clients: `even`, `poisson`, `gamma` (with `cv` of the times in
    between) or `trace`, whose `recorded` rows are (seconds, prompt tokens, output tokens)."""

    kind: str
    rate_hz: float = 0.0
    cv: float = 1.0
    recorded: tuple[tuple[float, int, int], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Inference(Workload):
    """Requests, answered token by token by replicas of a model, one on each host.

    `kv_bytes` is what attention keeps per token; `prompt` and `output` are None where the arrivals have them.
    `prefill_on` are those of its hosts, by name or pattern, that read prompts only and hand contexts to the
    others; none: every replica does both. Requests stop after `duration_s` or after so many, whichever is
    first. `clients` are names of campuses or hosts; none: every campus with a long-haul link. `prompt_bytes`
    and `token_bytes` are sizes on the wire, per token, unscaled.
    """

    kind = "inference"

    parameters: float
    weight_bytes: float
    kv_bytes: float
    prompt: Tokens | None
    output: Tokens | None
    arrivals: Arrivals
    duration_s: float | None
    requests: int | None
    warmup_s: float
    clients: tuple[str, ...]
    routing: str
    batch_requests: int
    batch_tokens: int
    bandwidth_share: float
    prompt_bytes: float
    token_bytes: float
    first_token_objective_s: float
    token_objective_s: float
    prefill_on: tuple[str, ...] = ()
