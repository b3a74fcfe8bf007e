"""Inputs made by Atheris, which keeps those that reach new code: `make fuzz-coverage`, or

    pip install atheris
    python -m tests.fuzz.guided yaml|traces|stored FOLDER [options of libFuzzer, as -max_total_time=60]

FOLDER holds what was found worth keeping, and is filled with good inputs first. Whatever is neither read nor refused
with an InvalidInput ends it: the input is then in a file `crash-…`, to be made a golden file.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
LONGEST_S, MOST_MB = 10, 500


def main(target: str, folder: Path, options: list[str]) -> None:
    """Fuzz one reader until libFuzzer's options say that it is enough."""
    atheris: Any = import_module("atheris")  # an option, without types
    with atheris.instrument_imports(include=["scenario", "traffic", "yaml"]):
        read, good = _target(target)
    folder.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(good):
        (folder / f"good-{number}").write_bytes(data)
    limits = [f"-timeout={LONGEST_S}", f"-rss_limit_mb={MOST_MB}"]
    with tempfile.TemporaryDirectory(prefix="longhaul-guided-") as scratch:
        file = Path(scratch) / "input"

        def once(data: bytes) -> None:
            file.write_bytes(data)
            read(file)

        atheris.Setup([sys.argv[0], str(folder), *limits, *options], once)
        atheris.Fuzz()


def _target(name: str) -> tuple[Callable[[Path], object], list[bytes]]:
    """What reads a file of a kind and survives whatever is wrong with it, and good files of the kind."""
    from scenario.loading import load_topology
    from scenario.text.diagnostics import InvalidInput
    from tests.fuzz import mutating
    from tests.fuzz.kinds import Stored, Traces
    from traffic.traces.account import account
    from traffic.traces.assembling import assemble
    from traffic.traces.reading import read_all
    from traffic.traces.storing import load

    def surviving(read: Callable[[Path], object]) -> Callable[[Path], object]:
        def once(file: Path) -> None:
            try:
                read(file)
            except InvalidInput as error:
                str(error)

        return once

    if name == "yaml":
        texts = [file.read_bytes() for file in sorted((ROOT / "topologies").glob("*.yaml"))]
        return surviving(load_topology), texts
    if name == "stored":
        return surviving(load), [mutating.as_json(Stored().good)]
    made = [
        good if isinstance(good, bytes) else mutating.as_json(good) for _, good in Traces().seeds
    ]
    return surviving(lambda file: account(assemble(read_all([file])))), made


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3:])
