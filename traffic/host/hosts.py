"""The hosts' first processes: one small Python that forks into each host's own namespaces.

A host's process holds its network and mount namespace, and carries out jobs: a module of ours by
name, with arguments as JSON, over a Unix socket. Forking a warm interpreter costs a tenth of
starting one, and hundreds are needed. One more, the observer, stays among the switches, whether
it is needed or not: a run must not depend on who looks. Standard library alone.

    python -m traffic.host.hosts DIRECTORY     (names on one line of standard input; prints "name pid" lines)

The parent stays until its standard input is closed; then all hosts end.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import os
import signal
import socket
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

import traffic.host.agent  # noqa: F401 (warm: every host runs it)
from traffic.host.channel import Channel, Message
from traffic.host.turns import OBSERVING, REPLAYING, take_turns

OBSERVER = "observer"
_CLONE_NEWNET = 0x40000000
_CLONE_NEWNS = 0x00020000
_CLONE_NEWUTS = 0x04000000
_MS_BIND = 0x1000
_MS_REC_PRIVATE = 0x4000 | 0x40000
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)

NAMES, KNOWN_HOSTS = Path("/run/longhaul/names"), Path("/etc/hosts")
"""The hosts' names and addresses, which each of them finds as its own /etc/hosts."""

# As a host of a training cluster is tuned. Buffers bound one connection's window.
SYSCTLS = {
    "net/ipv4/tcp_rmem": "4096 131072 67108864",
    "net/ipv4/tcp_wmem": "4096 65536 67108864",
    "net/ipv4/tcp_slow_start_after_idle": "0",
    "net/ipv4/tcp_no_metrics_save": "1",
    "net/ipv6/conf/all/disable_ipv6": "1",  # the fabric speaks IPv4: no router solicitations
    "net/ipv6/conf/default/disable_ipv6": "1",
}


def main(directory: str) -> None:
    """Fork one process per name on the first line of standard input, then wait for its end."""
    names = sys.stdin.readline().split()
    with contextlib.suppress(PermissionError):
        Path("/proc/self/oom_score_adj").write_text(
            "0", encoding="utf-8"
        )  # hosts go before the fabric
    gc.freeze()
    homes = dict.fromkeys(names, _become) | {OBSERVER: _observe}
    children = [_fork(name, Path(directory), home) for name, home in homes.items()]
    for name, pid, _ in children:
        print(name, pid)
    for _, _, ready in children:
        os.read(ready, 1)
        os.close(ready)
    print(".", flush=True)
    sys.stdin.read()
    for _, pid, _ in children:
        os.kill(pid, signal.SIGKILL)


def _fork(name: str, directory: Path, settle: Callable[[str], None]) -> tuple[str, int, int]:
    ready, tell = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.close(ready)
            settle(name)
            listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            listener.bind(str(directory / name))
            listener.listen(8)
            os.write(tell, b".")
            _serve(listener)
        finally:
            os._exit(1)
    os.close(tell)
    return name, pid, ready


def _become(name: str) -> None:
    """Leave for namespaces of one's own, with a name of one's own, and tune their TCP."""
    if _libc.unshare(_CLONE_NEWNET | _CLONE_NEWNS | _CLONE_NEWUTS):
        raise OSError(ctypes.get_errno(), "unshare: " + os.strerror(ctypes.get_errno()))
    _libc.mount(b"none", b"/", None, _MS_REC_PRIVATE, None)
    _libc.mount(b"sysfs", b"/sys", b"sysfs", 0, None)
    _libc.sethostname(name.encode(), len(name))
    if NAMES.exists() and KNOWN_HOSTS.exists():
        _libc.mount(bytes(NAMES), bytes(KNOWN_HOSTS), None, _MS_BIND, None)
    for key, value in SYSCTLS.items():
        if Path("/proc/sys", key).exists():
            Path("/proc/sys", key).write_text(value, encoding="utf-8")
    _be_called(name)


def _observe(name: str) -> None:
    take_turns(OBSERVING)
    _be_called(name)


def _be_called(name: str) -> None:
    Path("/proc/self/timerslack_ns").write_text("1", encoding="utf-8")
    Path("/proc/self/comm").write_text(name, encoding="utf-8")
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)  # a question that a job may want to answer
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for jobs that run beside others


def _serve(listener: socket.socket) -> None:
    """One job at a time, each on a connection of its own, for ever; but those that are to run `beside`
    others have a process each."""
    while True:
        connection, _ = listener.accept()
        channel = Channel(connection)
        with connection, contextlib.suppress(ConnectionError):
            job = channel.hear()
            if not job.get("beside"):
                _carry_out(job, channel)
            elif os.fork() == 0:
                _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
                _carry_out(job, channel)
                os._exit(0)


def _carry_out(job: Message, channel: Channel) -> None:
    try:
        if job.get("in_turn"):
            take_turns(REPLAYING)
        importlib.import_module(job["module"]).run(job, channel)
    except Exception:
        channel.say({"error": traceback.format_exc()})


if __name__ == "__main__":
    main(sys.argv[1])
