"""Process groups as PyTorch writes them: names, dtypes, lists of ranks.

[torch/csrc/distributed/c10d/ParamCommsUtils.hpp, torch/csrc/profiler/util.cpp]
"""

from __future__ import annotations

import json
import re
from typing import Any

from traffic.traces.checking import MOST_RANKS
from traffic.traces.form import Op

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


def listed_groups(values: str) -> dict[str, tuple[int, ...]]:
    """The groups in what `## process_group:init ##` holds; ranks () where it is all of them.

    The text is a JSON list, by itself or as the one element of a printed Python list.
    """
    inner = values.strip()
    if inner.startswith(("['", '["')):
        inner = inner[2:-2]
    try:
        groups = json.loads(inner)
    except (ValueError, RecursionError):
        return {}
    return group_ranks(groups)


def group_ranks(groups: Any) -> dict[str, tuple[int, ...]]:
    """Ranks by name, of a list of objects with `pg_name` and `ranks`."""
    return {
        str(group["pg_name"]): _ranks(group.get("ranks", []))
        for group in (groups if isinstance(groups, list) else [])
        if isinstance(group, dict) and "pg_name" in group
    }


def _ranks(written: object) -> tuple[int, ...]:
    """A group's; () where none are said, which is all of them."""
    found = _integers(written)
    return NONSENSE if isinstance(written, list) and written and not found else found


def _integers(listed: object) -> tuple[int, ...]:
    """The list, if all in it are integers; whether they can be ranks, `checking` says."""
    whole = isinstance(listed, list | tuple) and all(type(one) is int for one in listed)
    return tuple(listed) if whole and isinstance(listed, list | tuple) else ()
