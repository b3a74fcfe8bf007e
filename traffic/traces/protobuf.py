"""Protocol Buffers' wire format: messages as fields, without a schema [protobuf.dev, Encoding].

A field is its number, its wire type and its value: an integer for varints and fixed widths, bytes for what has
a length. Groups are not read: no format here has them.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import TypeAlias

from scenario.errors import WrongInput

VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5
_FIXED = {FIXED64: struct.Struct("<Q"), FIXED32: struct.Struct("<I")}

Value: TypeAlias = "int | bytes"


class Malformed(WrongInput, ValueError):
    """Bytes that are no message; `at` is the offset of the first that is wrong."""

    def __init__(self, message: str, at: int) -> None:
        super().__init__(message)
        self.at = at


def delimited(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The messages of a file that puts its length before each, and where each begins."""
    at = 0
    while at < len(data):
        start, end = _bounds(data, at)
        yield start, data[start:end]
        at = end


def fields(message: bytes) -> Iterator[tuple[int, int, Value]]:
    """(number, wire type, value) of each field, in order. Raises Malformed."""
    at = 0
    while at < len(message):
        begin = at
        key, at = varint(message, at)
        number, wire = key >> 3, key & 7
        value: Value
        if wire == VARINT:
            value, at = varint(message, at)
        elif wire == LENGTH:
            start, at = _bounds(message, at)
            value = message[start:at]
        elif wire in _FIXED and at + _FIXED[wire].size <= len(message):
            (value,) = _FIXED[wire].unpack_from(message, at)
            at += _FIXED[wire].size
        else:
            raise Malformed(f"field {number} has wire type {wire} or is cut off", begin)
        if not number:
            raise Malformed("a field is numbered 0", begin)
        yield number, wire, value


def varint(data: bytes, at: int) -> tuple[int, int]:
    """An unsigned integer in base 128 and the offset behind it. Raises Malformed."""
    value = shift = 0
    for index in range(at, min(at + 10, len(data))):
        byte = data[index]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & (2**64 - 1), index + 1
        shift += 7
    raise Malformed("a number is cut off or too long", at)


def integers(wire: int, value: Value) -> list[int]:
    """A repeated integer field, packed or not. Raises Malformed."""
    if isinstance(value, int):
        return [value]
    found, at = [], 0
    while at < len(value) and wire == LENGTH:
        one, at = varint(value, at)
        found.append(one)
    return found


def text(value: Value) -> str:
    """A string field; bytes that are no UTF-8 are replaced."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _bounds(data: bytes, at: int) -> tuple[int, int]:
    size, start = varint(data, at)
    if start + size > len(data):
        raise Malformed(f"{size} bytes are announced where {len(data) - start} are left", at)
    return start, start + size
