"""Do the files of a study take what it sets and varies? Every choice, and the ends of every range, are tried alone.

In: what was written and what it came to. Out: complaints about the study, at the value that its files refuse.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from scenario.loading import load_topology, load_workload
from scenario.study.language import StudyModel
from scenario.text.diagnostics import InvalidInput
from scenario.text.meant import UNKNOWN
from scenario.text.tree import Problems, Steps
from scenario.topology.links import IS_DOWN
from scenario.types.study import WORKLOAD, Choices, Value, Varied

Fixed: TypeAlias = Mapping[str, tuple[str, ...]]
"""By path of `set`, the settings that it stands for."""


@dataclass(frozen=True)
class Trying:
    """A study's files, and where complaints go."""

    written: StudyModel
    problems: Problems
    topology: Path
    workload: Path | None

    def check(self, fixed: Fixed, varied: Sequence[Varied]) -> None:
        """What is varied is tried beside all that is set."""
        always = tuple(setting for own in fixed.values() for setting in own)
        for one in varied:
            levels = one.spread.levels()
            ends = levels if isinstance(one.spread, Choices) else (levels[0], levels[-1])
            for index, value in enumerate(ends):
                complaint = self._refused((*always, *one.settings(value)))
                if complaint and self._is_of_fixed(fixed, complaint):
                    return
                if complaint:
                    self._refuse(one, index, value, complaint)
                    break

    def _is_of_fixed(self, fixed: Fixed, complaint: InvalidInput) -> bool:
        """Whether what is set is refused without anything that is varied, too; then it is told there."""
        messages = [one.message for one in complaint.diagnostics]
        alone = {path: self._refused(own) for path, own in fixed.items()}
        told = [(path, found.diagnostics[0]) for path, found in alone.items() if found]
        blamed = [(path, first) for path, first in told if first.message in messages]
        for path, first in blamed:
            add = self.problems.add_key if first.message == UNKNOWN else self.problems.add
            add(("set", path), first.message, first.expected, first.hint)
        return bool(blamed)

    def _refuse(self, one: Varied, index: int, value: Value, complaint: InvalidInput) -> None:
        first = complaint.diagnostics[0]
        model = self.written.vary[one.path]
        key = next(k for k in ("values", "range", "normal") if getattr(model, k) is not None)
        steps: Steps = ("vary", one.path, key, index if key == "values" else min(index, 1))
        if first.message == UNKNOWN and one.targets[0].endswith(first.path):
            self.problems.add_key(steps[:2], first.message, first.expected, first.hint)
            return
        message = f"{one.targets[0]}={value.text}: {first.message}"
        self.problems.add(steps, message, first.expected, first.hint)

    def _refused(self, settings: Sequence[str]) -> InvalidInput | None:
        """What the files say to some settings. That a link is down there is an answer, and no complaint."""
        here, there = divided(settings)
        try:
            load_topology(self.topology, here)
            if self.workload:
                load_workload(self.workload, there)
        except InvalidInput as error:
            down = all(one.message.startswith(IS_DOWN) for one in error.diagnostics)
            return None if down else error
        return None


def divided(settings: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Settings of the topology, and those of the workload without `workload.`."""
    own = tuple(one.removeprefix(WORKLOAD) for one in settings if one.startswith(WORKLOAD))
    return tuple(one for one in settings if not one.startswith(WORKLOAD)), own
