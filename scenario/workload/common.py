"""What all workloads have in common in the language."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import Field

from scenario.checks.claims import claims
from scenario.checks.language import CheckField
from scenario.text.fields import Files, Name, Pattern, Version
from scenario.text.strict import Strict
from scenario.text.tree import Problems, Steps
from scenario.workload.transport import TransportField, TransportModel, transport

# Sizes in bytes of one value.
DTYPE_BYTES = {"fp32": 4.0, "bf16": 2.0, "fp16": 2.0, "fp8": 1.0}


class WorkloadModel(Strict):
    """What every workload says, in a file of its own or under `workloads` of a topology."""

    longhaul: Version
    """Version of this language."""
    name: Name
    """Name of the workload."""
    description: str = ""
    """What it is, for people."""
    include: Files = None
    """Files, beside this one or below, to start from. This file says only what differs."""
    runs_on: list[Pattern] = Field(default=[], max_length=100)
    """Where it runs: campuses and hosts, by name or pattern; else on all hosts."""
    transport: TransportField = TransportModel()
    """What carries its bytes between hosts."""
    checks: list[CheckField] = Field(default=[], max_length=200)
    """What must hold of a run with it: `longhaul check` says whether it does."""


@dataclass(frozen=True)
class Where:
    """Where a workload is written: `steps` lead to it in the document. Takes complaints about it."""

    problems: Problems
    steps: Steps
    files: tuple[Path, ...]

    def add(self, steps: Steps, message: str, expected: str = "", hint: str = "") -> None:
        """Complain about the value at `steps` of the workload."""
        self.problems.add((*self.steps, *steps), message, expected, hint)

    def add_key(self, steps: Steps, message: str, expected: str = "", hint: str = "") -> None:
        """Complain about the key that `steps` ends with."""
        self.problems.add_key((*self.steps, *steps), message, expected, hint)

    def common(self, written: WorkloadModel) -> dict[str, Any]:
        """The fields that all workloads have, for the constructor of one."""
        return {
            "name": written.name,
            "source": str(self.files[-1]),
            "files": tuple(str(file) for file in self.files),
            "on": tuple(written.runs_on),
            "transport": transport(written.transport, self.steps, self.problems),
            "checks": claims(written.checks, self.problems, (*self.steps, "checks")),
        }
