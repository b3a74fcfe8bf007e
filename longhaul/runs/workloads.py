"""Which workloads a run has, and on which hosts: the command line's, the topology's own, or the default."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from scenario.text.diagnostics import Diagnostic, InvalidInput
from scenario.loading import load_workload
from scenario.text.diagnostics import FEW, Collected, Place, Source, complain, nearest, one_of
from scenario.workload.placement import hosts_on, known_places, overlaps, shared
from scenario.types.topology import Host, Topology, Training, Workload

DEFAULT = Path(__file__).parents[2] / "traffic" / "workloads" / "training.yaml"


@dataclass(frozen=True)
class Chosen:
    """A workload of the command line: its file, and where it is to run (nothing: where the file says)."""

    path: Path
    on: tuple[str, ...] = ()


@dataclass(frozen=True)
class Setting:
    """A `--set-workload`: `override` as `--set` has them, for the workload `name` or, if that is the only
    one, for it."""

    name: str | None
    override: str

    @classmethod
    def parse(cls, text: str) -> Setting:
        """From `iterations=3` or `chat:duration=2s`."""
        before, colon, after = text.partition(":")
        return cls(before, after) if colon and "=" not in before else cls(None, text)


def own_overrides(topology: Topology, chosen: Sequence[Chosen], texts: Sequence[str]) -> list[str]:
    """Settings of workloads that a topology carries itself, as overrides of the topology.

    None where the command line names others. Raises InvalidInput.
    """
    if chosen or not topology.workloads:
        return []
    names = [one.name for one in topology.workloads]
    return [f"workloads.{_whose(text, names)}.{Setting.parse(text).override}" for text in texts]


def load_workloads(
    topology: Topology, chosen: Sequence[Chosen], settings: Sequence[str]
) -> list[Workload]:
    """The workloads of a run, each with a name of its own. Raises InvalidInput."""
    if not chosen and topology.workloads:
        return list(topology.workloads)
    files = list(chosen) or [Chosen(DEFAULT)]
    names = _unique([load_workload(one.path).name for one in files])
    overrides: dict[str, list[str]] = {name: [] for name in names}
    for text in settings:
        overrides[_whose(text, names)].append(Setting.parse(text).override)
    found, problems = [], Collected()
    for one, name in zip(files, names, strict=True):
        with problems:
            read = load_workload(one.path, overrides[name])
            found.append(replace(read, name=name, on=one.on or read.on))
    problems.stop()
    return found


def own_training(topology: Topology) -> Training | None:
    """The workload that trains, of those that a topology brings; None where none or several do."""
    found = [one for one in topology.workloads if isinstance(one, Training)]
    return found[0] if len(found) == 1 else None


def check_places(found: Sequence[Workload], topology: Topology) -> None:
    """Raises InvalidInput where a workload has no host, or two want the same one."""
    hosts = [host for campus in topology.campuses for host in campus.hosts]
    problems = [told for one in found for told in _nowhere(one, hosts)]
    for one, other in overlaps(found, hosts):
        message = f"the workloads {one.name} and {other.name} share {shared(one, other, hosts)}"
        hint = "say where each runs: --workload FILE@CAMPUS, or `runs-on` in its file"
        problems.append(complain(_place(other), message, expected="other hosts", hint=hint))
    if problems:
        raise InvalidInput(problems)


def _nowhere(workload: Workload, hosts: Sequence[Host]) -> list[Diagnostic]:
    names = known_places(hosts)
    return [
        complain(
            _place(workload), f"{workload.name} is to run where no campus and no host is called so",
            path="runs-on", found=pattern, expected=one_of(names, FEW), hint=nearest(pattern, names),
        )
        for pattern in workload.on
        if not hosts_on([pattern], hosts)
    ]  # fmt: skip


def _place(workload: Workload) -> Place:
    return Place(Source(workload.source))


def _whose(text: str, names: Sequence[str]) -> str:
    """The workload that a setting is for. Raises InvalidInput."""
    name = Setting.parse(text).name
    if name is None and len(names) == 1:
        return names[0]
    if name in names:
        return str(name)
    message = "there is no such workload" if name else "there are several workloads"
    expected = f"NAME:PATH=VALUE, where NAME is {' or '.join(names)}"
    place = Place(Source("--set-workload", (text,)), length=len(name or text))
    raise InvalidInput([complain(place, message, found=name or text, expected=expected)])


def _unique(names: Sequence[str]) -> list[str]:
    """The second of a name gets a 2 after it."""
    seen: Counter[str] = Counter()
    unique = []
    for name in names:
        seen[name] += 1
        unique.append(f"{name}-{seen[name]}" if seen[name] > 1 else name)
    return unique
