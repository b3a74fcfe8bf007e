"""`serving` of `summary.json`: how well one inference workload's requests were served. Keys: docs/inference.md."""

from __future__ import annotations

from typing import Annotated

from analysis.form.parts import Count, Form, Seconds, Share, Tail, doc


class Parts(Form, frozen=True):
    """What the time to first token is made of: means."""

    network: Annotated[Seconds, doc("On the way there and back.")]
    queue: Annotated[Seconds, doc("In line at the replica.")]
    prefill: Annotated[Seconds, doc("Worked on.")]
    handover: Annotated[Seconds, doc("The context's way to who answers; 0 where that is who read.")]


class Goodput(Form, frozen=True):
    """Requests that kept both objectives."""

    first_token_s: Annotated[Seconds, doc("The objective of the first token.")]
    token_s: Annotated[Seconds, doc("The objective of the mean gap after it.")]
    share: Annotated[Share, doc("Of all requests.")]
    requests_per_s: Annotated[float, doc("How many per second.")]


class RequestFigures(Form, frozen=True):
    """Requests that have something in common."""

    requests: Annotated[Count, doc("How many.")]
    first_token: Annotated[Tail, doc("Time to first token, from arrival.")]
    inter_token: Annotated[Tail | None, doc("Gaps between tokens, at the client; null: none.")]
    parts: Annotated[Parts, doc("Of the time to first token.")]


class FromCampus(RequestFigures, frozen=True):
    """Requests that came in at one campus."""

    client_campus: Annotated[str, doc("Which.")]


class RequestsAtCampus(RequestFigures, frozen=True):
    """Requests served at one campus."""

    campus: Annotated[str, doc("Which.")]


class OnAccelerator(RequestFigures, frozen=True):
    """Requests served by one GPU generation."""

    accelerator: Annotated[str, doc("Which.")]


class Service(Form, frozen=True):
    """One inference workload; requests that arrived during the warm-up are left out."""

    name: Annotated[str, doc("The workload's name.")]
    requests: Annotated[Count, doc("How many.")]
    first_token: Annotated[Tail, doc("Time to first token, from arrival.")]
    inter_token: Annotated[Tail | None, doc("Gaps between tokens, at the client; null: none.")]
    inter_token_made: Annotated[Tail | None, doc("Gaps between tokens, as produced; null: none.")]
    end_to_end: Annotated[Tail, doc("Time to the whole answer.")]
    parts: Annotated[Parts, doc("Of the time to first token.")]
    network_share: Annotated[
        Share, doc("Of the time to first token, the network's and the handover's.")
    ]
    output_tokens_per_s: Annotated[float, doc("Over the time during which requests arrived.")]
    goodput: Annotated[Goodput, doc("Requests that kept both objectives.")]
    by_client: Annotated[list[FromCampus], doc("By where requests came in.")]
    by_campus: Annotated[list[RequestsAtCampus], doc("By where they were served.")]
    by_accelerator: Annotated[list[OnAccelerator], doc("By what served them.")]

    def groups(self) -> list[tuple[str, RequestFigures]]:
        """All groups, each with what its requests have in common, in words."""
        return [
            *((f"from {one.client_campus}", one) for one in self.by_client),
            *((f"served at {one.campus}", one) for one in self.by_campus),
            *((f"served by {one.accelerator}", one) for one in self.by_accelerator),
        ]
