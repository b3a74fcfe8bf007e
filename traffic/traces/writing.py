"""The workload file of a trace: YAML for people to read and change, the graph in a file beside it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import yaml

from traffic.traces.account import CollectiveKind, kinds
from traffic.traces.assembling import Imported
from traffic.traces.storing import SUFFIX, save

_FORBIDDEN = re.compile(r"[^a-z0-9]+")


def write(imported: Imported, path: Path, ranks_per_host: int) -> tuple[Path, Path]:
    """Write the workload and the trace beside it; returns both. Raises OSError."""
    name = workload_name(path.stem)
    beside = path.with_name(f"{path.stem}{SUFFIX}")
    save(imported.trace, beside)
    said = {
        "longhaul": 1,
        "name": name,
        "kind": "trace",
        "description": _description(imported),
        "file": beside.name,
        "ranks": len(imported.trace.ranks),
        "ranks-per-host": ranks_per_host,
        "iterations": 1,
    }
    text = yaml.safe_dump(said, sort_keys=False, allow_unicode=True, width=100)
    path.write_text(_heading(kinds(imported.trace)) + text, encoding="utf-8")
    return path, beside


def workload_name(stem: str) -> str:
    """A name as the language has them, from that of a file."""
    words = _FORBIDDEN.sub("-", stem.lower()).strip("-")
    return (words if words[:1].isalpha() else f"trace-{words}".strip("-"))[:40].strip("-")


def _description(imported: Imported) -> str:
    formats = sorted({recording.format for recording in imported.files.values()})
    names = [recording.file.name for _, recording in sorted(imported.files.items())]
    more = f" and {len(names) - 2} more" if len(names) > 2 else ""
    return f"{', '.join(formats)}: {', '.join(names[:2])}{more}"


def _heading(found: Sequence[CollectiveKind]) -> str:
    lines = ["# Written by longhaul import. One iteration communicates:"]
    lines += [
        f"#   {one.count} × {one.op}, {one.size_bytes} bytes in all, among"
        f" {', '.join(map(str, one.ranks))} ranks"
        for one in found
    ] or ["#   nothing"]
    return "\n".join(lines) + "\n"
