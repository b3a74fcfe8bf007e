"""The hosts' first processes, seen from the fabric: start them, hand them jobs, hear from them."""

from __future__ import annotations

import json
import os
import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any


class HostError(Exception):
    """A job in a host failed; the text is its traceback."""


class Job:
    """A job under way in one host: messages go both ways, a line of JSON each."""

    def __init__(self, host: str, path: Path, request: dict[str, Any]) -> None:
        self.host = host
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.connect(str(path))
        self._received = b""
        self.tell(request)

    def tell(self, message: dict[str, Any]) -> None:
        self._socket.sendall(json.dumps(message).encode() + b"\n")

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

    @property
    def pending(self) -> bool:
        """Is a whole message here already?"""
        return b"\n" in self._received

    def fileno(self) -> int:
        return self._socket.fileno()

    def close(self) -> None:
        self._socket.close()


@dataclass(frozen=True)
class Hosts:
    """All hosts' processes: `pids` by name."""

    folder: Path
    pids: dict[str, int]

    def job(self, host: str, module: str, **arguments: Any) -> Job:
        """Have a host carry out `module.run(arguments, …)`."""
        return Job(host, self.folder / host, {"module": module, **arguments})

    def signal(self, host: str, number: int) -> None:
        os.kill(self.pids[host], number)


@contextmanager
def started(names: Sequence[str], folder: Path, log: Path) -> Iterator[Hosts]:
    """Fork a process with namespaces of its own for each name; end them on leaving."""
    folder.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as errors:
        command = [sys.executable, "-S", "-m", "traffic.hosts", str(folder)]
        launcher = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            cwd=Path(__file__).parents[2],
        )
    assert launcher.stdin and launcher.stdout
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


def messages(
    jobs: Sequence[Job], deadline_s: float | None = None
) -> Iterator[tuple[Job, dict[str, Any]]]:
    """Messages of several jobs as they come, until each has said `{"state": "done"}`.

    Raises TimeoutError when none has come by `deadline_s` (of time.monotonic).
    """
    with selectors.DefaultSelector() as selector:
        for job in jobs:
            selector.register(job, selectors.EVENT_READ, job)
        while selector.get_map():
            left = None if deadline_s is None else max(0.0, deadline_s - time.monotonic())
            ready = selector.select(left)
            if not ready:
                raise TimeoutError
            for key, _ in ready:
                yield from _messages_of(key.data, selector)


def _messages_of(
    job: Job, selector: selectors.BaseSelector
) -> Iterator[tuple[Job, dict[str, Any]]]:
    while True:
        message = job.hear()
        yield job, message
        if message.get("state") == "done":
            selector.unregister(job)
            return
        if not job.pending:
            return
