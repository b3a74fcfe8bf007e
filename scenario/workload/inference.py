"""The inference language: which model answers requests, how many come and when, and who answers them.

A workload of `kind: inference`. Requests enter at clients, are routed to replicas (each host is one)
and answered token by token: by the replica that has read the prompt, or by another.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from scenario.text.fields import (
    Count,
    Delay,
    Duration,
    Frequency,
    Name,
    Pattern,
    PositiveShare,
    Size,
)
from scenario.text.strict import Strict
from scenario.types.inference import Arrivals, Inference, Tokens
from scenario.workload.arrivals import recorded
from scenario.workload.common import DTYPE_BYTES, Where, WorkloadModel

MOST_REQUESTS = 1_000_000


@dataclass(frozen=True)
class Preset:
    """A published model. `kv_values` is what it keeps per token: 2 x layers x KV heads x head size."""

    parameters: float
    kv_values: int


# Layers, KV heads and head size: "The Llama 3 Herd of Models" (2024), table 3.
PRESETS = {
    "llama-3-8b": Preset(8.03e9, 2 * 32 * 8 * 128),
    "llama-3-70b": Preset(70.6e9, 2 * 80 * 8 * 128),
    "llama-3-405b": Preset(405.9e9, 2 * 126 * 8 * 128),
}


class ServedModel(Strict):
    """The neural network that answers."""

    preset: Literal["llama-3-8b", "llama-3-70b", "llama-3-405b"] | None = None
    """A published model, which says what the next two do not."""
    parameters: Count | None = None
    """How many parameters, all of them used for every token: `70e9`."""
    kv_bytes: Size | None = None
    """What attention keeps in memory per token: 2 x layers x KV heads x head size x bytes of a value."""
    dtype: Literal["fp32", "bf16", "fp16", "fp8"] = "bf16"
    """The type of weights and of what attention keeps."""


class TokensModel(Strict):
    """How many tokens there are: drawn anew for each request."""

    mean: Count
    """The mean, before `most` cuts it."""
    distribution: Literal["fixed", "geometric", "log-normal"] = "fixed"
    """`fixed`: always the mean. `geometric`: as if every token could be the last. `log-normal`:
    with the coefficient of variation `cv`."""
    cv: float = Field(default=1.0, gt=0, le=100)
    """Standard deviation over mean, of a log-normal distribution."""
    most: Count = 128 * 1024
    """Larger draws are cut to this."""


class EvenArrivals(Strict):
    """Requests at equal intervals."""

    kind: Literal["even"]
    """One request every 1/`rate`."""
    rate: Frequency
    """How many requests come, over all clients."""


class PoissonArrivals(Strict):
    """Requests that know nothing of each other."""

    kind: Literal["poisson"]
    """Exponential times in between."""
    rate: Frequency
    """How many requests come on average, over all clients."""


class GammaArrivals(Strict):
    """Requests in bursts."""

    kind: Literal["gamma"]
    """Gamma-distributed times in between."""
    rate: Frequency
    """How many requests come on average, over all clients."""
    cv: float = Field(gt=0, le=100)
    """Coefficient of variation of the times in between: 1 is as `poisson`, more comes in bursts."""


class RecordedArrivals(Strict):
    """Requests as they were recorded."""

    kind: Literal["trace"]
    """Arrivals and tokens from a file."""
    file: str = Field(min_length=1, max_length=200)
    """A CSV file, beside the workload's or below, with the columns TIMESTAMP, ContextTokens and
    GeneratedTokens, as Azure publishes its LLM inference traces."""
    speed: float = Field(default=1.0, gt=0, le=1e6)
    """How many times as fast as recorded the requests come."""


ArrivalsModel: TypeAlias = Annotated[
    EvenArrivals | PoissonArrivals | GammaArrivals | RecordedArrivals, Field(discriminator="kind")
]


class Batching(Strict):
    """Continuous batching, as vLLM's scheduler does it: every step gives each running request its
    next token, and fills up with prompts."""

    requests: int = Field(default=128, ge=1, le=100_000)
    """The most requests that a replica works on at a time; the others wait in line."""
    tokens: Count = 2048.0
    """The most tokens of one step: longer prompts are cut into chunks."""


class Messages(Strict):
    """What requests and answers weigh on the wire."""

    prompt: Size = 4.0
    """Bytes of each token of a prompt (an assumption: four letters)."""
    token: Size = 250.0
    """Bytes of the message that carries one token of an answer (an assumption: a server-sent event
    with its JSON)."""


class Objectives(Strict):
    """Within which latency an answer is a good one."""

    first_token: Duration = 1.0
    """From arrival to first token."""
    token: Duration = 0.1
    """Between tokens, on average over the answer."""


class InferenceModel(WorkloadModel):
    """Inference: requests come from outside, and are answered token by token."""

    kind: Literal["inference"]
    """Requests are answered."""
    model: ServedModel
    """What answers them."""
    prompt: TokensModel | None = None
    """Tokens of a prompt; a trace has its own."""
    output: TokensModel | None = None
    """Tokens of an answer; a trace has its own."""
    arrivals: ArrivalsModel
    """When requests come."""
    duration: Duration | None = None
    """For how long requests come. This or `requests` is needed, but for a trace."""
    requests: int | None = Field(default=None, ge=1, le=MOST_REQUESTS)
    """How many come."""
    warmup: Delay = 0.0
    """Requests that come before this time are served, but do not count."""
    clients: list[Name] | None = Field(default=None, min_length=1, max_length=64)
    """Where requests come from, an equal share each: the borders of these campuses, or these hosts.
    Else the borders of all campuses with long-haul links."""
    routing: Literal["round-robin", "least-loaded", "nearest"] = "least-loaded"
    """To which replica a client sends a request: each in turn; the one that has the fewest of this
    client's requests; or that among those of the nearest campus."""
    prefill_on: list[Pattern] | None = Field(default=None, min_length=1, max_length=100)
    """Which of its hosts read prompts only, by campus or host, name or pattern: each hands the context
    (`kv-bytes` for every token) to one of the others, which answers. Else each does both."""
    batching: Batching = Batching()
    """How a replica works on several requests at a time."""
    bandwidth_share: PositiveShare = 1.0
    """The share of the memory bandwidth that reading weights reaches."""
    messages: Messages = Messages()
    """Sizes on the wire."""
    objectives: Objectives = Objectives()
    """What users are promised: answers within it make up the goodput."""


def inference(written: InferenceModel, where: Where) -> Inference:
    """The workload in SI units. What makes no sense in it is complained about."""
    _check_extent(written, where)
    _check_lengths(written, where)
    parameters, kv_bytes = _model(written.model, where)
    arrivals, read = _arrivals(written.arrivals, where)
    common = where.common(written)
    return Inference(
        **common | {"files": (*(str(file) for file in read), *common["files"])},
        parameters=parameters,
        weight_bytes=parameters * DTYPE_BYTES[written.model.dtype],
        kv_bytes=kv_bytes,
        prompt=_tokens(written.prompt),
        output=_tokens(written.output),
        arrivals=arrivals,
        duration_s=written.duration,
        requests=written.requests,
        warmup_s=written.warmup,
        clients=tuple(written.clients or ()),
        routing=written.routing,
        batch_requests=written.batching.requests,
        batch_tokens=int(written.batching.tokens),
        bandwidth_share=written.bandwidth_share,
        prompt_bytes=written.messages.prompt,
        token_bytes=written.messages.token,
        first_token_objective_s=written.objectives.first_token,
        token_objective_s=written.objectives.token,
        prefill_on=tuple(written.prefill_on or ()),
    )


def _check_extent(written: InferenceModel, where: Where) -> None:
    """Does it end, and does anything count? Has every request its token in a step?"""
    if written.duration is None and written.requests is None and written.arrivals.kind != "trace":
        expected = "when requests stop coming, such as duration: 20s"
        where.add((), "no `duration` and no `requests`", expected)
    if written.duration is not None and written.warmup >= written.duration:
        expected = "a warm-up that ends before the requests do"
        where.add(("warmup",), "no request is left after the warm-up", expected)
    if written.batching.tokens < written.batching.requests:
        expected = f"at least one for each of the {written.batching.requests} requests"
        where.add(("batching", "tokens"), "too few tokens in a step", expected)


def _check_lengths(written: InferenceModel, where: Where) -> None:
    traced = written.arrivals.kind == "trace"
    for key, given in (("prompt", written.prompt), ("output", written.output)):
        if traced and given is not None:
            expected = "nothing: the trace says how many tokens each request has"
            where.add_key((key,), f"`{key}` beside a trace", expected)
        if not traced and given is None:
            where.add((), f"`{key}` is missing", f"how many tokens, such as {key}: {{mean: 512}}")


def _model(written: ServedModel, where: Where) -> tuple[float, float]:
    """Parameters, and bytes kept per token."""
    preset = PRESETS.get(written.preset or "", Preset(0.0, 0))
    parameters = written.parameters or preset.parameters
    kv_bytes = written.kv_bytes or preset.kv_values * DTYPE_BYTES[written.dtype]
    for key, value in (("parameters", parameters), ("kv-bytes", kv_bytes)):
        if not value:
            expected = f"`{key}`, or a `preset`: {', '.join(PRESETS)}"
            where.add(("model",), f"neither `preset` nor `{key}`", expected)
    return parameters, kv_bytes


def _tokens(written: TokensModel | None) -> Tokens | None:
    if written is None:
        return None
    return Tokens(written.distribution, written.mean, written.cv, int(written.most))


def _arrivals(written: ArrivalsModel, where: Where) -> tuple[Arrivals, tuple[Path, ...]]:
    """When requests arrive, and the files that were read for it."""
    if not isinstance(written, RecordedArrivals):
        cv = written.cv if isinstance(written, GammaArrivals) else 1.0
        return Arrivals(written.kind, written.rate, cv), ()
    rows, read = recorded(("arrivals", "file"), written.file, where)
    scaled = tuple((at_s / written.speed, prompt, output) for at_s, prompt, output in rows)
    return Arrivals("trace", recorded=scaled), read
