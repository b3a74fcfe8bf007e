"""A headless Chromium that is told what to do with mouse and keys: the DevTools protocol over a pair of pipes."""

from __future__ import annotations

import fcntl
import json
import os
import select
import shutil
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
PATIENCE_S = 120.0
CUT_OFF = """[...document.querySelectorAll("svg text")].filter((one) => {
  const text = one.getBoundingClientRect(), all = one.ownerSVGElement.getBoundingClientRect();
  return text.width > 0 && (text.left < all.left - 1 || text.right > all.right + 1);
}).map((one) => one.textContent.trim())"""
"""Words of pictures that stick out of them to the left or to the right."""


class Browser:
    """One page in a window of some size."""

    def __init__(self, folder: Path, page: Path, width: int, height: int) -> None:
        self._buffer = b""
        self._number = 0
        self._session = ""
        to_read, self._to = (_high(fd) for fd in os.pipe())
        self._from, to_write = (_high(fd) for fd in os.pipe())
        words = [
            str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-quic",
            "--disable-background-networking", "--disable-component-update", "--disable-sync",
            "--remote-debugging-pipe", f"--user-data-dir={folder}", "about:blank",
        ]  # fmt: skip
        silent = os.open(os.devnull, os.O_WRONLY)
        actions = [(os.POSIX_SPAWN_DUP2, fd, at) for fd, at in ((to_read, 3), (to_write, 4))]
        actions.append((os.POSIX_SPAWN_DUP2, silent, 2))
        self._process = os.posix_spawn(words[0], words, os.environ, file_actions=actions)
        for fd in (to_read, to_write, silent):
            os.close(fd)
        self._open(page, width, height)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        why: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        os.kill(self._process, signal.SIGTERM)
        os.waitpid(self._process, 0)
        os.close(self._to)
        os.close(self._from)

    def run(self, script: str) -> Any:
        """What an expression of JavaScript comes to."""
        found = self._call("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def until(self, script: str) -> Any:
        """The value of an expression once it is true, at the latest after PATIENCE_S."""
        end = time.monotonic() + PATIENCE_S
        while not (found := self.run(script)):
            assert time.monotonic() < end, f"never true: {script}"
            time.sleep(0.05)
        return found

    def place(self, selector: str, share: Sequence[float] = (0.5, 0.5)) -> tuple[float, float]:
        """Where on the screen a share of an element's width and height is, scrolled into view."""
        box = self.run(
            "(() => { const one = document.querySelector(" + json.dumps(selector) + ");"
            " one.scrollIntoView({ block: 'center', behavior: 'instant' });"
            " const b = one.getBoundingClientRect(); return [b.left, b.top, b.width, b.height]; })()"
        )
        return box[0] + share[0] * box[2], box[1] + share[1] * box[3]

    def hover(self, x: float, y: float) -> None:
        """Move the mouse there."""
        self._call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def click(self, x: float, y: float) -> None:
        """Press and release its button there."""
        self.hover(x, y)
        for kind in ("mousePressed", "mouseReleased"):
            self._call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def type(self, text: str) -> None:
        """Type into what has the focus."""
        self._call("Input.insertText", text=text)

    def _open(self, page: Path, width: int, height: int) -> None:
        made = self._call("Target.createTarget", url="about:blank")
        attached = self._call("Target.attachToTarget", targetId=made["targetId"], flatten=True)
        self._session = attached["sessionId"]
        self._call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False
        )  # fmt: skip
        self._call("Page.enable")
        self._call("Page.navigate", url=f"file://{page}")
        self.until("document.readyState === 'complete' && location.protocol === 'file:'")

    def _call(self, method: str, **params: Any) -> dict[str, Any]:
        self._number += 1
        asked: dict[str, Any] = {"id": self._number, "method": method, "params": params}
        if self._session:
            asked["sessionId"] = self._session
        os.write(self._to, json.dumps(asked).encode() + b"\0")
        while (said := self._hear()).get("id") != self._number:
            pass
        assert "error" not in said, f"{method}: {said['error']}"
        result: dict[str, Any] = said["result"]
        return result

    def _hear(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._from], [], [], PATIENCE_S)
            assert ready, "the browser says nothing"
            read = os.read(self._from, 1 << 16)
            assert read, "the browser is gone"
            self._buffer += read
        line, _, self._buffer = self._buffer.partition(b"\0")
        said: dict[str, Any] = json.loads(line)
        return said


def _high(fd: int) -> int:
    """The same file under a number that no child's 3 or 4 is."""
    moved: int = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 10)
    os.close(fd)
    return moved
