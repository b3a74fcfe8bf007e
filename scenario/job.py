"""What the machine that carries a fabric is told to do there: one form, one writer, one reader.

It goes there as `job.json` of the run folder, beside `plan.json`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import msgspec

from scenario.plan.captures import Capture

FILE = "job.json"
Verb = Literal["run", "exec", "live"]


@dataclass(frozen=True)
class Part:
    """One host's part in a workload: `module` carries out `programs/<workload>/<host>.json`. One that
    `follows` ends when all others have."""

    workload: str
    host: str
    module: str
    follows: bool


@dataclass(frozen=True)
class Command:
    """A program for the hosts whose names match a pattern; where it runs, and in what environment."""

    argv: tuple[str, ...]
    pattern: str
    cwd: str
    environment: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Job:
    """What a fabric of so many `hosts` is for. `cpu` None lets the machine choose; `controller` is an
    application in place of ours, `rest` has ours answer over HTTP. Where nothing happens for `patience_s`
    of the run's own time, it is stopped. A guest has `memory_bytes` (None: as suits it) and sees the `exposed`
    paths of its host's; its `root` is the host's `system`, its `own`, or `auto`.
    `run` has `parts` and `capture`, `exec` a `command`.
    """

    verb: Verb
    seed: int
    time: str
    hosts: int
    patience_s: float
    cpu: int | None = None
    controller: str | None = None
    rest: bool = False
    parts: tuple[Part, ...] = ()
    capture: Capture | None = None
    command: Command | None = None
    memory_bytes: int | None = None
    exposed: tuple[str, ...] = ()
    root: str = "auto"


def write(job: Job, folder: Path) -> None:
    """Put a job into a run folder."""
    (folder / FILE).write_text(json.dumps(asdict(job)))


def read(folder: Path) -> Job:
    """The job of a run folder."""
    return msgspec.json.decode((folder / FILE).read_bytes(), type=Job)
