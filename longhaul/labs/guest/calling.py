"""Calls functions of Python files and prints what they return, a line of JSON each. Runs inside a guest.

    python calling.py calls.json

`calls.json` is a list of {file, function, arguments}. A file is a student's, or one of this folder. What
students print goes nowhere. Standard library only, so that nothing but a student's own imports can fail.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import json
import math
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

ANSWER = "longhaul-lab-answer "
MOST_CHARACTERS = 4_000_000


def main(path: str) -> None:
    """Carry out all calls of a file."""
    sys.path.insert(0, str(Path(path).parent))
    real = os.dup(1)
    for call in json.loads(Path(path).read_text(encoding="utf-8")):
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            answer = answered(call)
        os.write(real, (ANSWER + answer + "\n").encode())


def answered(call: dict[str, Any]) -> str:
    """What a call comes to, as JSON: {value} or {error}."""
    try:
        found = function(call["file"], call["function"])(**call["arguments"])
        text = json.dumps({"value": plain(found)})
    except BaseException as error:  # a student's code may raise anything, SystemExit too
        return json.dumps({"error": told(error)})
    if len(text) > MOST_CHARACTERS:
        return json.dumps({"error": f"returns more than {MOST_CHARACTERS} characters"})
    return text


def function(file: str, name: str) -> Callable[..., Any]:
    """A function of a file, which is carried out for that."""
    spec = importlib.util.spec_from_file_location(Path(file).stem, file)
    if not spec or not spec.loader:
        raise ValueError(f"{file} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[Path(file).stem] = module  # as dataclasses need it
    spec.loader.exec_module(module)
    found = getattr(module, name, None)
    if not callable(found):
        raise ValueError(f"there is no function {name}")
    return found  # type: ignore[no-any-return]


def plain(value: Any) -> Any:
    """What JSON can hold: numbers of NumPy and Polars as Python's."""
    if isinstance(value, dict):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple | set):
        return [plain(one) for one in value]
    if hasattr(value, "item") and not isinstance(value, str):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, str | int | float | bool | None) else repr(value)


def told(error: BaseException) -> str:
    """An exception in a line: what, and in which line of which file of the student's."""
    here = Path.cwd()
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if Path(frame.filename).absolute().parent == here
    ]
    where = "".join(f" (line {one.lineno} of {Path(one.filename).name})" for one in frames[-1:])
    return f"{type(error).__name__}: {error}{where}"[:600]


if __name__ == "__main__":
    main(sys.argv[1])
