"""Which key was meant by one that is not known: the closest spelling, or this language's word for it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from scenario.text.diagnostics import closest, nearest, one_of
from scenario.text.tree import Problems, Steps, at, entries

UNKNOWN = "unknown key"

# Other words for our keys.
_SYNONYMS = {
    "bandwidth": "rate",
    "speed": "rate",
    "capacity": "rate",
    "latency": "delay",
    "rtt": "delay",
    "length": "distance",
    "buffer": "queue",
    "packet-loss": "loss",
    "endpoints": "between",
    "ends": "between",
    "servers": "hosts",
    "nodes": "hosts",
    "machines": "hosts",
    "sites": "campuses",
    "datacenters": "campuses",
    "edges": "links",
    "gpu": "accelerator",
    "type": "kind",
    "action": "event",
    "duration": "for",
    "lasts": "for",
    "until": "for",
    "time": "at",
    "when": "at",
    "start": "at",
    "after": "at",
    "begin": "from",
    "interval": "every",
    "period": "every",
    "age": "to-age",
    "number": "count",
}


def intended(key: str, known: Sequence[str]) -> str:
    """The known key that was probably meant; empty where none was."""
    for word in (key, _SYNONYMS.get(closest(key, _SYNONYMS), "")):
        meant = closest(word, known) if word else ""
        if meant:
            return meant
    return ""


def hint(key: str | int, known: Sequence[str]) -> str:
    """The same as a question."""
    meant = intended(str(key), known)
    return f"did you mean {meant}?" if meant else ""


def untagged(
    problems: Problems, steps: Steps, tag: str, kinds: Iterable[str], others: Iterable[str]
) -> None:
    """Complain that the key which says what a mapping is stands not in it, or not under its name; `others` are the keys
    that may stand beside it."""
    written = [key for key in entries(at(problems.root, *steps)) if key not in set(others)]
    for key in written:
        if intended(key, [tag]):
            problems.add_key((*steps, key), UNKNOWN, tag, f"did you mean {tag}?")
            return
    beside = (
        [key for key in entries(at(problems.root, *steps[:-1])) if key != steps[-1]]
        if steps
        else []
    )
    told = nearest(str(steps[-1]), beside) if beside else ""
    problems.add((*steps, tag), f"`{tag}` is missing", one_of(kinds), told)
