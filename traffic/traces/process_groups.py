"""Process groups as PyTorch writes them: names, dtypes, lists of ranks.

[torch/csrc/distributed/c10d/ParamCommsUtils.hpp, torch/csrc/profiler/util.cpp]
"""

from __future__ import annotations

import json
import re
from typing import Any

from traffic.traces.checking import MOST_RANKS
from traffic.traces.form import Op
from traffic.traces.recording import EVERYBODY, GroupKey, Recording

DTYPE_BYTES = {
    "byte": 1, "char": 1, "bool": 1, "unsigned char": 1, "signed char": 1, "uint8": 1, "int8": 1,
    "float8_e5m2": 1, "float8_e4m3fn": 1, "float8_e5m2fnuz": 1, "float8_e4m3fnuz": 1,
    "half": 2, "bfloat16": 2, "short": 2, "c10::half": 2, "c10::bfloat16": 2, "float16": 2, "int16": 2,
    "uint16": 2, "float": 4, "int": 4, "float32": 4, "int32": 4, "uint32": 4, "double": 8, "long": 8,
    "long int": 8, "float64": 8, "int64": 8, "uint64": 8, "complexfloat": 8, "complexdouble": 16,
    "c10::complex<float>": 8, "c10::complex<double>": 16,
}  # fmt: skip
"""Bytes of one element, by the names that PyTorch gives types in its several files, in lower case."""

NONSENSE = (-1,)
"""Ranks that no check lets pass: what was written there makes none."""
UNREAD_LIST = "lists of process groups that cannot be read"
UNNAMED = "process groups without a name"
UNKNOWN = "collectives whose group's ranks are not said (taken as all ranks)"
_RANK = re.compile(r"-?[0-9]{1,9}")

_OPS: dict[str, Op] = {
    "allreduce": "all_reduce",
    "allreducecoalesced": "all_reduce",
    "allreducesparse": "all_reduce",
    "reducescatter": "reduce_scatter",
    "reducescatterbase": "reduce_scatter",
    "reducescattertensorcoalesced": "reduce_scatter",
    "allgather": "all_gather",
    "allgatherbase": "all_gather",
    "allgatherintotensorcoalesced": "all_gather",
    "broadcast": "broadcast",
    "broadcastoop": "broadcast",
    "reduce": "reduce",
    "alltoall": "all_to_all",
    "alltoallv": "all_to_all",
    "alltoallbase": "all_to_all",
    "barrier": "barrier",
}


def collective(name: str) -> Op | None:
    """The collective that PyTorch calls by one of several names, as `_reduce_scatter_base`."""
    return _OPS.get(name.removeprefix("nccl:").replace("_", "").lower())


def element_bytes(dtype: str) -> int | None:
    """Bytes of one element; None for a type that is not known."""
    return DTYPE_BYTES.get(dtype.removeprefix("Tensor(").removesuffix(")").lower())


def rank_list(written: object) -> tuple[int, ...]:
    """Ranks as a list or its text, `[0, 1]`. One that was cut short, `[0, 1, ..., 7]`, is none."""
    if not isinstance(written, str):
        return _integers(written)
    inner = written.strip().removeprefix("[").removesuffix("]")
    texts = [one.strip() for one in inner.split(",")]
    return tuple(map(int, texts)) if all(map(_RANK.fullmatch, texts)) else ()


def strided(start: object, stride: object, size: object) -> tuple[int, ...]:
    """The ranks start, start + stride, …; none where they are not said."""
    known = [one for one in (start, stride, size) if isinstance(one, int)]
    if len(known) < 3 or known == [0, 0, 0]:
        return ()
    if known[0] < 0 or known[1] < 1 or not 0 < known[2] <= MOST_RANKS:
        return NONSENSE
    return tuple(range(known[0], known[0] + known[1] * known[2], known[1]))


class ListedGroups:
    """The process groups that one file lists. What of its lists cannot be read, and which collectives are in groups of
    unknown ranks, is counted."""

    def __init__(self, found: Recording) -> None:
        self.found = found
        self.ranks: dict[str, tuple[int, ...]] = {}

    def read(self, text: str) -> None:
        """Take in what `## process_group:init ##` holds: a JSON list, by itself or as the one element of a printed
        Python list."""
        inner = text.strip()
        if inner.startswith(("['", '["')):
            inner = inner[2:-2]
        try:
            self.take(json.loads(inner))
        except (ValueError, RecursionError):
            self.found.ignored[UNREAD_LIST] += 1

    def take(self, listed: Any) -> None:
        """Take in a list of objects with `pg_name` and `ranks`; without ranks it is all of them."""
        if not isinstance(listed, list):
            self.found.ignored[UNREAD_LIST] += 1
            return
        for group in listed:
            if isinstance(group, dict) and isinstance(group.get("pg_name"), str | int):
                self._take(str(group["pg_name"]), group.get("ranks"))
            else:
                self.found.ignored[UNNAMED] += 1

    def of(self, name: str, said: tuple[int, ...] = EVERYBODY) -> GroupKey:
        """The group of a collective: its ranks as the collective says them, or else as the file's lists do."""
        if name and not said and name not in self.ranks:
            self.found.ignored[UNKNOWN] += 1
        return self.found.group(name, said or self.ranks.get(name, EVERYBODY))

    def _take(self, name: str, written: object) -> None:
        ranks = rank_list(written)
        if ranks or written in (None, [], "[]"):
            self.ranks[name] = ranks
        elif not isinstance(written, str):
            self.ranks[name] = NONSENSE


def _integers(listed: object) -> tuple[int, ...]:
    """The list, if all in it are integers; whether they can be ranks, `checking` says."""
    whole = isinstance(listed, list | tuple) and all(type(one) is int for one in listed)
    return tuple(listed) if whole and isinstance(listed, list | tuple) else ()
