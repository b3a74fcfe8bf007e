"""Which system calls the guest's kernel may make of the host's: a filter that the process cannot take off.

It is the list of what User-Mode Linux and its C library need; all else does not exist for them (ENOSYS). There
is no socket among it, so no network; nothing that changes a file's mode, owner or times, which Landlock does
not look at; nothing that makes a symbolic link, pipe or device, which whoever reads the run folder afterwards
would follow; no ptrace, no mount, no new namespace. x86-64 only, as the guest is. Standard library only.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
from collections.abc import Iterable
from functools import cache

ALLOWED = {
    "read": 0, "write": 1, "open": 2, "close": 3, "stat": 4, "fstat": 5, "lstat": 6, "poll": 7, "lseek": 8,
    "mmap": 9, "mprotect": 10, "munmap": 11, "brk": 12, "rt_sigaction": 13, "rt_sigprocmask": 14,
    "rt_sigreturn": 15, "pread64": 17, "pwrite64": 18, "readv": 19, "writev": 20, "access": 21, "pipe": 22,
    "select": 23, "sched_yield": 24, "mremap": 25, "msync": 26, "madvise": 28, "dup": 32, "dup2": 33,
    "pause": 34, "nanosleep": 35, "getitimer": 36, "setitimer": 38, "getpid": 39, "sendto": 44,
    "recvfrom": 45, "sendmsg": 46, "recvmsg": 47, "shutdown": 48, "fork": 57, "vfork": 58, "execve": 59,
    "exit": 60, "wait4": 61, "kill": 62, "uname": 63, "fcntl": 72, "flock": 73, "fsync": 74,
    "fdatasync": 75, "ftruncate": 77, "getdents": 78, "getcwd": 79, "chdir": 80, "fchdir": 81, "rename": 82,
    "mkdir": 83, "rmdir": 84, "creat": 85, "link": 86, "unlink": 87, "readlink": 89,
    "umask": 95, "gettimeofday": 96, "getrlimit": 97, "getrusage": 98, "sysinfo": 99, "times": 100,
    "getuid": 102, "getgid": 104, "geteuid": 107, "getegid": 108, "setpgid": 109, "getppid": 110,
    "getpgrp": 111, "setsid": 112, "getpgid": 121, "getsid": 124, "rt_sigpending": 127,
    "rt_sigtimedwait": 128, "rt_sigsuspend": 130, "sigaltstack": 131, "personality": 135,
    "statfs": 137, "fstatfs": 138, "prctl": 157, "arch_prctl": 158, "sync": 162, "gettid": 186,
    "tkill": 200, "time": 201, "futex": 202, "sched_getaffinity": 204, "epoll_create": 213,
    "getdents64": 217, "set_tid_address": 218, "fadvise64": 221, "timer_create": 222, "timer_settime": 223,
    "timer_gettime": 224, "timer_getoverrun": 225, "timer_delete": 226, "clock_gettime": 228,
    "clock_getres": 229, "clock_nanosleep": 230, "exit_group": 231, "epoll_wait": 232, "epoll_ctl": 233,
    "tgkill": 234, "openat": 257, "mkdirat": 258, "newfstatat": 262, "unlinkat": 263,
    "renameat": 264, "linkat": 265, "readlinkat": 267, "faccessat": 269, "pselect6": 270,
    "ppoll": 271, "set_robust_list": 273, "epoll_pwait": 281, "fallocate": 285, "signalfd4": 289, "eventfd2": 290,
    "epoll_create1": 291, "dup3": 292, "pipe2": 293, "getcpu": 309, "renameat2": 316, "seccomp": 317,
    "getrandom": 318, "memfd_create": 319, "execveat": 322, "membarrier": 324, "statx": 332, "rseq": 334,
    "close_range": 436, "faccessat2": 439,
}  # fmt: skip
REFUSED = {
    "truncate": 76, "chmod": 90, "fchmod": 91, "chown": 92, "fchown": 93, "lchown": 94, "utime": 132,
    "setxattr": 188, "lsetxattr": 189, "fsetxattr": 190, "removexattr": 197, "lremovexattr": 198,
    "fremovexattr": 199, "utimes": 235, "fchownat": 260, "futimesat": 261, "fchmodat": 268,
    "utimensat": 280, "fchmodat2": 452,
    "symlink": 88, "symlinkat": 266, "mknod": 133, "mknodat": 259,
    "socket": 41, "connect": 42, "bind": 49, "ptrace": 101,
}  # fmt: skip
"""What a program in the guest may well try: it is told that it may not (EPERM)."""

_CLONE, _IOCTL, _SOCKETPAIR, _PRLIMIT = 56, 16, 53, 302
_NAMESPACES = 0x7E020000  # CLONE_NEWCGROUP, UTS, IPC, USER, PID, NET, NS
_TYPING = (0x5412, 0x541C)  # TIOCSTI, TIOCLINUX: a terminal's input, as if the user had typed it
_AF_UNIX = 1

_AUDIT_ARCH_X86_64 = 0xC000003E
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_LOAD, _EQUAL, _ANY_BIT, _RETURN = 0x20, 0x15, 0x45, 0x06
_NUMBER_AT, _ARCH_AT, _FIRST_ARGUMENT_AT = 0, 4, 16
_PR_SET_NO_NEW_PRIVS = 38
_SECCOMP, _SET_MODE_FILTER, _GET_ACTION_AVAIL, _SPEC_ALLOW = 317, 1, 2, 4
_libc = ctypes.CDLL(None, use_errno=True)

Instruction = tuple[int, int, int, int]  # operation, jump if so, jump if not, operand


@cache
def available() -> bool:
    """Whether this kernel has filters at all, and lets us ask."""
    action = ctypes.byref(ctypes.c_uint32(_ERRNO))
    return bool(_libc.syscall(_SECCOMP, _GET_ACTION_AVAIL, 0, action) == 0)


def program() -> bytes:
    """The filter, in the kernel's own bytecode (struct sock_filter).

    Numbers of allowed calls are asked for one after another, the frequent ones soonest; the host's kernel
    remembers for each number whether it is allowed whatever the arguments, so that this costs nothing.
    """
    allow, refuse, absent = _answer(_ALLOW), _answer(_ERRNO | errno.EPERM), _answer(_absent())
    code = [(_LOAD, 0, 0, _ARCH_AT), (_EQUAL, 1, 0, _AUDIT_ARCH_X86_64), absent]
    code.append((_LOAD, 0, 0, _NUMBER_AT))
    code += _each(ALLOWED.values(), allow)
    code += _each(REFUSED.values(), refuse)
    code += _with_argument(_CLONE, 0, [(_ANY_BIT, _NAMESPACES)], refuse, allow)
    code += _with_argument(_IOCTL, 1, [(_EQUAL, word) for word in _TYPING], refuse, allow)
    code += _with_argument(_SOCKETPAIR, 0, [(_EQUAL, _AF_UNIX)], allow, refuse)
    code += _with_argument(_PRLIMIT, 0, [(_EQUAL, 0)], allow, refuse)
    code.append(absent)
    return b"".join(struct.pack("=HBBI", *one) for one in code)


def _absent() -> int:
    return _ERRNO | errno.ENOSYS


def _answer(value: int) -> Instruction:
    return (_RETURN, 0, 0, value)


def _each(numbers: Iterable[int], answer: Instruction) -> list[Instruction]:
    return [one for number in numbers for one in ((_EQUAL, 0, 1, number), answer)]


def _with_argument(
    number: int,
    argument: int,
    tests: list[tuple[int, int]],
    if_any: Instruction,
    if_none: Instruction,
) -> list[Instruction]:
    """For one call: load an argument's low half, and answer by what it is."""
    inner: list[Instruction] = [(_LOAD, 0, 0, _FIRST_ARGUMENT_AT + 8 * argument)]
    for test, operand in tests:
        inner += [(test, 0, 1, operand), if_any]
    inner.append(if_none)
    return [(_EQUAL, 0, len(inner), number), *inner]


def no_new_privileges() -> None:
    """Give up gaining privileges by executing a file, which either kind of rules asks for first."""
    _libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def restrict(code: bytes) -> None:
    """Put this process under the filter. Raises OSError."""
    text = ctypes.create_string_buffer(code)
    heading = struct.pack("HxxxxxxP", len(code) // 8, ctypes.addressof(text))
    if _libc.syscall(_SECCOMP, _SET_MODE_FILTER, _SPEC_ALLOW, heading):
        raise OSError(ctypes.get_errno(), f"seccomp: {os.strerror(ctypes.get_errno())}")
