"""The hosts' first processes, seen from the fabric: start them, hand them jobs, hear from them."""

from __future__ import annotations

import contextlib
import json
import os
import select
import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from scenario.errors import LonghaulError

LONGEST_WAIT_S = 2e6
"""epoll counts milliseconds in 31 bits."""


class HostError(LonghaulError):
    """A job in a host failed; the text is its traceback."""


class Interrupted(LonghaulError):
    """Somebody wants to know why it takes so long."""


class HostJob:
    """A job under way in one host: messages go both ways, a line of JSON each."""

    def __init__(self, host: str, path: Path, request: dict[str, Any]) -> None:
        self.host = host
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.connect(str(path))
        self._received = b""
        self.tell(request)

    def tell(self, message: dict[str, Any]) -> None:
        """Send the job a message. Raises HostError, with what it said last, if it has ended."""
        try:
            self._socket.sendall(json.dumps(message).encode() + b"\n")
        except (BrokenPipeError, ConnectionResetError):
            while True:
                self.hear()

    def hear(self) -> dict[str, Any]:
        """The next message. Raises HostError if it says that the job failed."""
        while b"\n" not in self._received:
            received = self._socket.recv(65536)
            if not received:
                raise HostError(f"{self.host} ended")
            self._received += received
        line, self._received = self._received.split(b"\n", 1)
        message: dict[str, Any] = json.loads(line)
        if "error" in message:
            raise HostError(f"{self.host}: {message['error']}")
        return message

    def heard(self) -> Iterator[dict[str, Any]]:
        """The next message, and those that came along with it."""
        yield self.hear()
        while b"\n" in self._received:
            yield self.hear()

    def answer(self, key: str, within_s: float) -> Any:
        """What the first message with `key` says there, others passed over; [] if none comes."""
        self._socket.settimeout(within_s)
        try:
            while True:
                message = self.hear()
                if key in message:
                    return message[key]
        except (TimeoutError, HostError):
            return []

    def fileno(self) -> int:
        """For selectors."""
        return self._socket.fileno()

    def close(self) -> None:
        """Hang up."""
        self._socket.close()


@dataclass(frozen=True)
class Hosts:
    """All hosts' processes: `pids` by name."""

    folder: Path
    pids: dict[str, int]

    def job(self, host: str, module: str, **arguments: Any) -> HostJob:
        """Have a host carry out `module.run(arguments, …)`."""
        return HostJob(host, self.folder / host, {"module": module, **arguments})

    def signal(self, host: str, number: int) -> None:
        """Send a signal to a host's process."""
        os.kill(self.pids[host], number)


@contextmanager
def started(names: Sequence[str], folder: Path, log: Path) -> Iterator[Hosts]:
    """Fork a process with namespaces of its own for each name; end them on leaving."""
    folder.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as errors:
        command = [sys.executable, "-S", "-m", "traffic.host.hosts", str(folder)]
        launcher = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            cwd=Path(__file__).parents[2],
        )
    assert launcher.stdin
    assert launcher.stdout
    launcher.stdin.write((" ".join(names) + "\n").encode())
    launcher.stdin.flush()
    pids: dict[str, int] = {}
    for line in iter(launcher.stdout.readline, b".\n"):
        if not line:
            raise HostError(f"the hosts did not start: see {log.name}")
        name, pid = line.decode().split()
        pids[name] = int(pid)
    try:
        yield Hosts(folder, pids)
    finally:
        launcher.stdin.close()
        launcher.wait()


class Clockwork(Protocol):
    """Something that has to act at times of its own, when its file descriptor becomes readable."""

    def fileno(self) -> int:
        """For selectors."""

    def act(self) -> None:
        """It is time."""


def messages(
    jobs: Sequence[HostJob],
    patience_s: float,
    keyboard: int,
    until: str = "done",
    clockworks: Sequence[Clockwork] = (),
) -> Iterator[tuple[HostJob, dict[str, Any]]]:
    """Messages of several jobs as they come, until each has said `{"state": until}`.

    Meanwhile the `clockworks` act. Raises TimeoutError when no message has come for `patience_s`,
    Interrupted when something is to be read from the file descriptor `keyboard`, HostError when a
    host has failed.
    """
    with selectors.DefaultSelector() as selector:
        for job in jobs:
            selector.register(job, selectors.EVENT_READ)
        for clockwork in clockworks:
            selector.register(clockwork, selectors.EVENT_READ, clockwork)
        working = len(jobs)
        watched = _register(selector, keyboard)
        heard_s = time.monotonic()
        while working:
            left_s = heard_s + patience_s - time.monotonic()
            ready = selector.select(min(max(left_s, 0.0), LONGEST_WAIT_S))
            if not ready and left_s < LONGEST_WAIT_S:
                raise TimeoutError
            for key, _ in ready:
                if key.data:
                    key.data.act()
                    continue
                if not isinstance(key.fileobj, HostJob):
                    _read_keyboard(selector, watched)
                    continue
                heard_s = time.monotonic()
                for message in key.fileobj.heard():
                    yield key.fileobj, message
                    if message.get("state") == until:
                        selector.unregister(key.fileobj)
                        working -= 1


def _register(selector: selectors.BaseSelector, keyboard: int) -> int:
    with contextlib.suppress(PermissionError):  # a file, /dev/null: nobody will type there
        selector.register(keyboard, selectors.EVENT_READ)
    return keyboard


def forget(keyboard: int) -> None:
    """Drop what somebody has asked while there was nobody to answer."""
    while select.select([keyboard], [], [], 0)[0] and os.read(keyboard, 1024):
        pass


def _read_keyboard(selector: selectors.BaseSelector, keyboard: int) -> None:
    """Raises Interrupted, unless it is just that nobody is there any more."""
    if os.read(keyboard, 1024):
        raise Interrupted
    selector.unregister(keyboard)
