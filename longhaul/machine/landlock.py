"""Landlock: rules about files, ports and signals that a process puts on itself for good, without privileges.

In come folders and files with what may be done beneath them; out comes a ruleset, and what this kernel can
hold of it. [Documentation/userspace-api/landlock.rst] Standard library only.
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat
import struct
from collections.abc import Iterable
from enum import IntFlag
from functools import cache
from pathlib import Path

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
SIGNALS_SINCE = 6
"""The first version that holds signals back, and abstract Unix sockets."""

_VERSION = 1
_PATH_BENEATH = 1
_PORTS = 0b11  # bind and connect of TCP, from version 4 on
_SCOPES = 0b11  # abstract Unix sockets and signals
_libc = ctypes.CDLL(None, use_errno=True)


class Access(IntFlag):
    """What may be done with a file or in a folder, as linux/landlock.h has it."""

    EXECUTE = 1 << 0
    WRITE_FILE = 1 << 1
    READ_FILE = 1 << 2
    READ_DIR = 1 << 3
    REMOVE_DIR = 1 << 4
    REMOVE_FILE = 1 << 5
    MAKE_CHAR = 1 << 6
    MAKE_DIR = 1 << 7
    MAKE_REG = 1 << 8
    MAKE_SOCK = 1 << 9
    MAKE_FIFO = 1 << 10
    MAKE_BLOCK = 1 << 11
    MAKE_SYM = 1 << 12
    REFER = 1 << 13
    TRUNCATE = 1 << 14
    IOCTL_DEV = 1 << 15


READ = Access.READ_FILE | Access.READ_DIR
RUN = Access.EXECUTE | Access.READ_FILE
WRITE = (
    READ
    | Access.WRITE_FILE
    | Access.TRUNCATE
    | Access.MAKE_REG
    | Access.MAKE_DIR
    | Access.REMOVE_FILE
    | Access.REMOVE_DIR
    | Access.REFER
)
"""Files and folders and nothing else: no links, pipes, sockets or devices."""
_OF_FILES = (
    Access.EXECUTE | Access.WRITE_FILE | Access.READ_FILE | Access.TRUNCATE | Access.IOCTL_DEV
)


@cache
def version() -> int:
    """Of this kernel's Landlock; 0 where it has none, or does not let us use it."""
    return max(int(_libc.syscall(_CREATE_RULESET, None, 0, _VERSION)), 0)


def ruleset(rules: Iterable[tuple[Path, Access]]) -> int:
    """A handle on rules that forbid all but these. A path that is not there is left out. Raises OSError."""
    handle = _made()
    handled = _handled()
    for place, access in rules:
        _add(handle, place, access & handled)
    return handle


def restrict(handle: int) -> None:
    """Put this process under a ruleset; it must have given up gaining privileges. Raises OSError."""
    _checked(_libc.syscall(_RESTRICT_SELF, handle, 0))


def _handled() -> Access:
    newest = {1: Access.MAKE_SYM, 2: Access.REFER, 3: Access.TRUNCATE, 4: Access.TRUNCATE}
    top = newest.get(version(), Access.IOCTL_DEV)
    return Access(2 * top - 1)


def _made() -> int:
    fields = [int(_handled())]
    fields += [_PORTS] if version() >= 4 else []
    fields += [_SCOPES] if version() >= SIGNALS_SINCE else []
    packed = struct.pack(f"={len(fields)}Q", *fields)
    return _checked(_libc.syscall(_CREATE_RULESET, packed, len(packed), 0))


def _add(ruleset_handle: int, place: Path, access: Access) -> None:
    try:
        opened = os.open(place, os.O_PATH)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.EACCES, errno.ENOTDIR):
            return
        raise
    try:
        folder = stat.S_ISDIR(os.fstat(opened).st_mode)
        rule = struct.pack("=Qi", access if folder else access & _OF_FILES, opened)
        _checked(_libc.syscall(_ADD_RULE, ruleset_handle, _PATH_BENEATH, rule, 0))
    finally:
        os.close(opened)


def _checked(result: int) -> int:
    if result < 0:
        raise OSError(ctypes.get_errno(), f"Landlock: {os.strerror(ctypes.get_errno())}")
    return int(result)
