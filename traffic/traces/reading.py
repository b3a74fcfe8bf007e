"""Files in, recordings out: which format a file has is seen from what stands in it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from scenario.text.diagnostics import Collected
from traffic.traces.chakra import from_jsonizer, read_protobuf
from traffic.traces.chakra_feeder import read_feeder_json
from traffic.traces.checking import checked
from traffic.traces.json_text import contents
from traffic.traces.kineto import read_profile
from traffic.traces.pytorch import read_execution_trace
from traffic.traces.recording import Recording, rejected
from traffic.traces.text import read_text

FORMATS = "a Chakra trace, a PyTorch execution trace, a Kineto profile or an ASTRA-sim workload"
LONGEST_WORD = 64


def read_all(files: Sequence[Path], step: int | None = None) -> list[Recording]:
    """Traces of any formats. Raises InvalidInput with what is wrong with each of them."""
    problems = Collected()
    found = []
    for file in files:
        with problems:
            found.append(read(file, step))
    problems.stop()
    return found


def read(file: Path, step: int | None = None) -> Recording:
    """A trace of any format; `step` takes one step of a Kineto profile. Raises InvalidInput."""
    return checked(_read(file, contents(file), step))


def _read(file: Path, data: bytes, step: int | None) -> Recording:
    if not data.strip():
        raise rejected(file, "the file is empty", expected=FORMATS)
    if data.lstrip()[:1] in (b"{", b"["):
        return _json(file, data, step)
    if _is_policy(data):
        return read_text(file, data)
    return read_protobuf(file, data)


def _json(file: Path, data: bytes, step: int | None) -> Recording:
    if b'"traceEvents"' in data:
        return read_profile(file, data, step)
    if b'"workload_graph"' in data:
        return read_feeder_json(file, data)
    if b'"nodes"' in data and b'"schema"' in data:
        return read_execution_trace(file, data)
    if b'"type"' in data and (b'"attr"' in data or b"_NODE" in data):
        return from_jsonizer(file, _documents(file, data))
    raise rejected(file, "JSON of no known trace format", expected=FORMATS)


def _documents(file: Path, data: bytes) -> Iterator[Any]:
    """JSON documents that follow each other without a comma."""
    text = data.decode("utf-8", "replace")
    decoder = json.JSONDecoder()
    at = _behind_space(text, 0)
    while at < len(text):
        try:
            document, at = decoder.raw_decode(text, at)
        except json.JSONDecodeError as error:
            raise rejected(file, error.msg, place=(error.lineno, error.colno)) from None
        except RecursionError:
            raise rejected(file, "nested too deep", place=_place(text, at)) from None
        except ValueError:  # int() of thousands of digits
            raise rejected(file, "a number too long to be read", place=_place(text, at)) from None
        yield document
        at = _behind_space(text, at)


def _behind_space(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    return at


def _place(text: str, at: int) -> tuple[int, int]:
    """Line and column, from 1, of the document that begins there."""
    return text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)


def _is_policy(data: bytes) -> bool:
    """Whether a file begins with a word in capitals, as workload texts do."""
    words = data[: LONGEST_WORD + 1].split(maxsplit=1)
    word = words[0] if words and not data[:1].isspace() else b""
    return len(word) > 2 and all(byte in b"ABCDEFGHIJKLMNOPQRSTUVWXYZ_" for byte in word)
