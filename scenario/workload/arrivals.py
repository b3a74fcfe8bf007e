"""Recorded arrivals of requests: a CSV file as Azure publishes its LLM inference traces.

The columns TIMESTAMP, ContextTokens and GeneratedTokens, in any order and case, others ignored. A
timestamp is a date with a time, or a number of seconds. [github.com/Azure/AzurePublicDataset]
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from scenario.text.diagnostics import Place, Source, complain, nearest_file
from scenario.text.digits import is_whole
from scenario.text.tree import Steps
from scenario.workload.common import Where

MOST_ROWS = 1_000_000
MOST_TOKENS = 10_000_000
COLUMNS = ("timestamp", "contexttokens", "generatedtokens")
Row = tuple[float, int, int]


class _Wrong(Exception):
    """A row that is not one: what is wrong, and what belongs there."""

    def __init__(self, message: str, expected: str) -> None:
        super().__init__(message)
        self.message, self.expected = message, expected


def recorded(steps: Steps, name: str, where: Where) -> tuple[tuple[Row, ...], tuple[Path, ...]]:
    """The rows of the trace that the workload names at `steps`, and the file they are from.

    A row is (seconds since the first one, prompt tokens, output tokens); rows are in the order of time.
    The file lies in the workload's folder or below. What is wrong is complained about.
    """
    folder = where.files[-1].parent
    path = folder / name
    try:
        real = path.resolve()
        there = real.is_file()
    except (OSError, ValueError, RuntimeError):
        real, there = path, False
    if not real.is_relative_to(folder.resolve()):
        hint = "traces lie beside the workload's file, or below"
        where.add(steps, "a file outside the folder of the workload", hint=hint)
    elif not there:
        where.add(steps, "no such file", hint=nearest_file(path))
    else:
        return _read(path, where), (path,)
    return (), ()


def _read(path: Path, where: Where) -> tuple[Row, ...]:
    reader = None
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            return _from_zero(list(_rows(reader)))
    except _Wrong as wrong:
        message, expected = wrong.message, wrong.expected
    except (OSError, ValueError, csv.Error) as error:
        message, expected = f"not readable as CSV: {error}", ""
    place = Place(Source(str(path)), max(reader.line_num, 1) if reader else 1)
    where.problems.found.append(complain(place, message, expected=expected))
    return ()


def _rows(reader: Iterator[list[str]]) -> Iterator[Row]:
    header = [name.strip().lower() for name in next(reader, [])]
    if not set(COLUMNS) <= set(header):
        raise _Wrong(
            "not a trace of requests", "the columns TIMESTAMP, ContextTokens, GeneratedTokens"
        )
    places = [header.index(name) for name in COLUMNS]
    count = 0
    for fields in reader:
        if not fields:
            continue
        count += 1
        if count > MOST_ROWS:
            raise _Wrong("too many requests", f"at most {MOST_ROWS:,}")
        if len(fields) < len(header):
            raise _Wrong("a row cut short", f"{len(header)} columns")
        at, prompt, output = (fields[place].strip() for place in places)
        yield _seconds(at), _tokens(prompt), _tokens(output)
    if not count:
        raise _Wrong("a trace without requests", "at least one row")


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        try:
            value = _since_1970(datetime.fromisoformat(text))
        except ValueError:
            raise _Wrong("not a time", "as 2023-11-16 18:15:46.68, or seconds") from None
    if not math.isfinite(value):
        raise _Wrong("not a time", "as 2023-11-16 18:15:46.68, or seconds")
    return value


def _since_1970(moment: datetime) -> float:
    """Seconds, to the microsecond. A time without a zone is taken as UTC."""
    known = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return round(known.timestamp(), 6)


def _tokens(text: str) -> int:
    if not is_whole(text) or not 1 <= int(text) <= MOST_TOKENS:
        raise _Wrong("not a number of tokens", f"a whole number from 1 to {MOST_TOKENS:,}")
    return int(text)


def _from_zero(rows: list[Row]) -> tuple[Row, ...]:
    """In the order of time, which begins with the first one; to the microsecond, as traces are."""
    ordered = sorted(rows)
    return tuple(
        (round(at_s - ordered[0][0], 6), prompt, output) for at_s, prompt, output in ordered
    )
