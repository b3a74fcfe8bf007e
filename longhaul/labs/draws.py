"""Parameters of one student: drawn by HMAC-SHA256 from a course's secret and the student's id.

The same secret and id give the same parameters on every machine; without the secret nobody knows another's. A draw on
which the answer would hang by a hair is rejected, and the next one taken.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from longhaul.labs.catalogue import Lab, Value
from scenario.errors import WrongInput

Drawn = dict[str, Value]
PUBLIC = b"longhaul: a course without a secret"
LEAST_SECRET_BYTES = 16
MOST_DRAWS = 200
_STUDENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}")


class Unfair(WrongInput):
    """No draw of this lab is away from a tie; the text says which lab."""


def student(text: str) -> str:
    """A student's id, checked. Raises WrongInput."""
    if not _STUDENT.fullmatch(text):
        raise WrongInput(
            f"student {text!r}: an id has 1 to 64 letters, digits and . _ @ + -, and begins with a letter or digit"
        )
    return text


def secret(path: Path | None) -> bytes:
    """A course's secret from its file; without one, what everybody knows. Raises WrongInput."""
    if path is None:
        return PUBLIC
    try:
        found = path.read_bytes().strip()
    except OSError as error:
        raise WrongInput(f"{path}: the course's secret cannot be read: {error.strerror}") from None
    if not LEAST_SECRET_BYTES <= len(found) <= 4096:
        raise WrongInput(f"{path}: a course's secret has {LEAST_SECRET_BYTES} to 4096 bytes")
    return found


def drawn(lab: Lab, key: bytes, who: str, fair: Callable[[Drawn], bool]) -> Drawn:
    """A student's parameters. Raises Unfair."""
    return next(_fair_draws(lab, key, who, fair))


def others(
    lab: Lab, key: bytes, who: str, fair: Callable[[Drawn], bool], count: int
) -> list[Drawn]:
    """Further parameters that code is tried with, other than the student's own and the more unlike each other."""
    if not count:
        return []
    own = drawn(lab, key, who, fair)
    found: list[Drawn] = []
    for one in _fair_draws(lab, key, f"{who}\nvariant", fair):
        if one != own and one not in found:
            found.append(one)
        if len(found) == count:
            break
    return found


def _fair_draws(lab: Lab, key: bytes, who: str, fair: Callable[[Drawn], bool]) -> Iterator[Drawn]:
    for number in range(MOST_DRAWS):
        one = {
            name: _pick(spec.values(), key, f"{lab.number}\n{who}\n{number}\n{name}")
            for name, spec in lab.sheet.parameters.items()
        }
        if fair(one):
            yield one
    raise Unfair(
        f"{lab.folder.name}: no fair parameters in {MOST_DRAWS} draws: widen them in its check.yaml"
    )


def _pick(values: list[Value], key: bytes, text: str) -> Value:
    digest = hmac.new(key, text.encode(), hashlib.sha256).digest()
    return values[int.from_bytes(digest, "big") % len(values)]
