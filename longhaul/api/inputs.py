"""Topologies and workloads as values: loaded from a file or built in Python, changed, checked, written as YAML.

In: YAML files, or keys and values of the same language. Out: immutable objects that runs, plans and forecasts take.
Whatever is wrong is an `InvalidInput` with its places, raised at once.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import yaml

from longhaul import folder
from scenario import loading
from scenario.loading import Document
from scenario.types import topology as types

VERSION = 1
"""Of the language."""
Value = str | int | float | bool | None | list[Any] | Mapping[str, Any]
_Written = TypeVar("_Written", bound="_Document")


@dataclass(frozen=True)
class _Document:
    """A file, or a `text` that stands in none (`name` is then what its errors call it), and changes of it."""

    name: str
    path: Path | None = None
    text: str = ""
    overrides: tuple[str, ...] = ()

    def set(self: _Written, path: str | Mapping[str, Value], value: Value = None) -> _Written:
        """The same with other values: `set("links.c1-c2.age", "0y")`, or several at once as a mapping.

        Paths are those of the command line's `--set`; texts are read as YAML, as they are there. Raises InvalidInput.
        """
        changes = path if isinstance(path, Mapping) else {path: value}
        texts = tuple(f"{key}={_spelled(one)}" for key, one in changes.items())
        changed = replace(self, overrides=(*self.overrides, *texts))
        changed._check()
        return changed

    def to_yaml(self) -> str:
        """The document with what it includes and all changes, as one YAML text. Files that it names by a
        relative path (a trace) are still looked for beside it."""
        plain = loading.merged(self._read(), self.overrides)
        return yaml.safe_dump(plain, sort_keys=False, allow_unicode=True, width=100)

    def file(self) -> Path:
        """Where it stands; one that was built in Python is written to `runs/inputs/` first."""
        if self.path:
            return self.path
        digest = hashlib.sha256(self.text.encode()).hexdigest()
        found = folder.RUNS / "inputs" / f"{self.name}-{digest[:12]}.yaml"
        folder.put(found, self.text)
        return found

    def _read(self) -> Document:
        if self.path:
            return loading.read_document(self.path)
        return loading.document_of(self.text, self.name)

    def _check(self) -> None:
        raise NotImplementedError


@dataclass(frozen=True)
class Topology(_Document):
    """A testbed: campuses, their hosts, the long-haul links between them."""

    @classmethod
    def load(cls, path: str | Path, overrides: Sequence[str] = ()) -> Topology:
        """The topology in a file, with `overrides` as `--set` has them. Raises InvalidInput."""
        found = cls(Path(path).stem, Path(path), overrides=tuple(overrides))
        found._check()
        return found

    @cached_property
    def elaborated(self) -> types.Topology:
        """All of it in SI units, defaults filled in: every host, every link with what its age has made of it."""
        return loading.topology_of(self._read(), self.overrides)

    def _check(self) -> None:
        _ = self.elaborated


@dataclass(frozen=True)
class Workload(_Document):
    """What runs on a testbed: training, inference, a trace, probes, background load."""

    on: tuple[str, ...] = ()

    @classmethod
    def load(cls, path: str | Path, overrides: Sequence[str] = ()) -> Workload:
        """The workload in a file, with `overrides` as `--set` has them. Raises InvalidInput."""
        found = cls(Path(path).stem, Path(path), overrides=tuple(overrides))
        found._check()
        return found

    def at(self, *places: str) -> Workload:
        """The same on these campuses or hosts alone (patterns with `*` are understood)."""
        return replace(self, on=places)

    @cached_property
    def elaborated(self) -> types.Workload:
        """All of it in SI units, defaults filled in."""
        return loading.workload_of(self._read(), self.overrides)

    def _check(self) -> None:
        _ = self.elaborated


def topology(name: str, **keys: Value) -> Topology:
    """A topology built in Python: the keys of the language, with `_` for `-`. Raises InvalidInput, whose places are
    those of the YAML that it comes to."""
    found = Topology(name, text=_as_yaml({"name": name}, keys))
    found._check()
    return found


def workload(name: str, kind: str, **keys: Value) -> Workload:
    """A workload built in Python, as `topology`."""
    found = Workload(name, text=_as_yaml({"name": name, "kind": kind}, keys))
    found._check()
    return found


def _as_yaml(heading: Mapping[str, str], keys: Mapping[str, Value]) -> str:
    """A document of the language."""
    dashed = {key.replace("_", "-"): value for key, value in keys.items()}
    data = json.loads(json.dumps({"longhaul": VERSION} | dict(heading) | dashed))
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=100)


def _spelled(value: Value) -> str:
    """A value as `--set` takes it: texts as they are, the rest as JSON, which YAML contains."""
    return value if isinstance(value, str) else json.dumps(value)
