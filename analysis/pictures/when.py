"""When an event of a timeline happens, in words. In: its timing, as `plan.json` has it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from analysis import units


def when(timing: Mapping[str, Any]) -> str:
    """`at 2 s for 300 ms`; `every 5 s from 1 s, 3 x 20 ms, 30 ms apart`; `at random, …`."""
    return f"{_start(timing)}{_length(timing)}"


def _start(timing: Mapping[str, Any]) -> str:
    first_s = timing["first_s"]
    if timing["every_s"]:
        return f"every {units.time(timing['every_s'])} from {units.time(first_s)}"
    if timing["mtbf_s"]:
        start = f" from {units.time(first_s)}" if first_s else ""
        return f"at random, {units.time(timing['mtbf_s'])} apart on average{start}"
    return f"at {units.time(first_s)}"


def _length(timing: Mapping[str, Any]) -> str:
    if timing["times"] > 1:
        return f", {timing['times']} x {_each(timing)}, {units.time(timing['pause_s'])} apart"
    return f" for {_each(timing)}" if timing["lasts_s"] or timing["mttr_s"] else ", for good"


def _each(timing: Mapping[str, Any]) -> str:
    if timing["mttr_s"]:
        return f"{units.time(timing['mttr_s'])} on average"
    return units.time(timing["lasts_s"])
