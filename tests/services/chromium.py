"""A real Chromium for tests and pictures, driven over the DevTools protocol through a pair of pipes.

No window, no port, a temporary profile for each browser and a fresh set of cookies for each page. When Chromium is
missing or does not start, this raises: tests fail, they are never skipped.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

LAPTOP = (1366, 800)
PHONE = (390, 844)
_TIMEOUT = 60.0
_FLAGS = (
    "--headless=new",
    "--remote-debugging-pipe",
    "--no-first-run",
    "--no-default-browser-check",
    "--no-proxy-server",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-gpu",
    "--disable-sync",
    "--force-color-profile=srgb",
    "--font-render-hinting=none",
    "--hide-scrollbars",
    "--mute-audio",
    "--password-store=basic",
)
# Chromium reads commands from descriptor 3 and writes to 4; Popen alone cannot put them there.
_START = (
    "import os, sys; os.dup2(int(sys.argv[1]), 3); os.dup2(int(sys.argv[2]), 4); os.execv(sys.argv[3], sys.argv[3:])"
)


class ChromiumError(Exception):
    """Chromium is missing, did not answer in time, or refused a command."""


class Chromium:
    """A running browser. ``page`` opens a page as a new visitor."""

    def __init__(self, process: subprocess.Popen[bytes], commands: int, answers: int, folder: Path) -> None:
        self._process = process
        self._commands = commands
        self._answers = answers
        self._folder = folder
        self._buffer = bytearray()
        self._number = 0
        self._events: deque[dict[str, Any]] = deque()

    @contextmanager
    def page(self, size: tuple[int, int] = LAPTOP, *, dark: bool = False, javascript: bool = True) -> Iterator[Page]:
        """A page of this size in CSS pixels, without cookies, with light or dark colours."""
        context = self.ask("Target.createBrowserContext")["browserContextId"]
        target = self.ask("Target.createTarget", url="about:blank", browserContextId=context)["targetId"]
        session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        downloads = Path(tempfile.mkdtemp(dir=self._folder))
        try:
            page = Page(self, session, downloads)
            for domain in ("Page", "Runtime", "Log"):
                page.ask(f"{domain}.enable")
            page.resize(size)
            page.colours(dark=dark)
            page.ask("Emulation.setScriptExecutionDisabled", value=not javascript)
            self.ask(
                "Browser.setDownloadBehavior",
                behavior="allowAndName",
                browserContextId=context,
                downloadPath=str(downloads),
                eventsEnabled=True,
            )
            yield page
        finally:
            self.ask("Target.disposeBrowserContext", browserContextId=context)

    def ask(self, method: str, session: str = "", **details: Any) -> dict[str, Any]:
        """Send a command and wait for its answer; events that come before it are kept."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": details}
        if session:
            message["sessionId"] = session
        data = memoryview(json.dumps(message).encode() + b"\0")
        while data:
            data = data[os.write(self._commands, data) :]
        deadline = time.monotonic() + _TIMEOUT
        while True:
            answer = self._receive(deadline, method)
            if answer.get("id") == message["id"]:
                if "error" in answer:
                    raise ChromiumError(f"{method}: {answer['error']['message']}")
                result: dict[str, Any] = answer["result"]
                return result
            self._events.append(answer)

    def wait(self, wanted: Callable[[dict[str, Any]], bool], what: str) -> dict[str, Any]:
        """The first event, of those kept or still to come, for which ``wanted`` holds; it and those before are gone."""
        deadline = time.monotonic() + _TIMEOUT
        while True:
            event = self._events.popleft() if self._events else self._receive(deadline, what)
            if wanted(event):
                return event

    def events(self) -> list[dict[str, Any]]:
        """The events kept, without taking them."""
        return list(self._events)

    def _receive(self, deadline: float, what: str) -> dict[str, Any]:
        while (end := self._buffer.find(b"\0")) < 0:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self._answers], [], [], left)[0]:
                raise ChromiumError(f"no answer in {_TIMEOUT:.0f} s: {what}")
            data = os.read(self._answers, 1 << 20)
            if not data:
                raise ChromiumError(f"Chromium ended with code {self._process.wait()}: {what}")
            self._buffer += data
        message: dict[str, Any] = json.loads(self._buffer[:end])
        del self._buffer[: end + 1]
        return message


class Page:
    """One page. ``errors`` are what its console, its scripts and its policy complained of since the last ``open``."""

    def __init__(self, browser: Chromium, session: str, downloads: Path) -> None:
        self._browser = browser
        self._session = session
        self._downloads = downloads
        self._width = 0
        self.errors: list[str] = []

    def ask(self, method: str, **details: Any) -> dict[str, Any]:
        """A command to this page."""
        return self._browser.ask(method, self._session, **details)

    def resize(self, size: tuple[int, int]) -> None:
        """Another window; one narrower than 600 px is a phone's, with touch."""
        phone = size[0] < 600
        self._width = size[0]
        self.ask(
            "Emulation.setDeviceMetricsOverride",
            width=size[0],
            height=size[1],
            deviceScaleFactor=1,
            mobile=phone,
        )
        self.ask("Emulation.setTouchEmulationEnabled", enabled=phone)

    def colours(self, *, dark: bool) -> None:
        """What ``prefers-color-scheme`` says."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.ask("Emulation.setEmulatedMedia", media="", features=[scheme])

    def open(self, url: str) -> None:
        """Go to an address and wait until all of it is there."""
        self.errors.clear()
        answer = self.ask("Page.navigate", url=url)
        if "errorText" in answer:
            raise ChromiumError(f"{url}: {answer['errorText']}")
        self._loaded()

    def follow(self, selector: str) -> None:
        """Click on an element, as a person does, and wait for the page that comes."""
        self.click(selector)
        self._loaded()

    def click(self, selector: str) -> None:
        """Press and release in the middle of an element. Raises ChromiumError when there is none."""
        x, y = self._middle(selector)
        for kind in ("mousePressed", "mouseReleased"):
            self.ask("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def write(self, selector: str, text: str) -> None:
        """Click into a field and type."""
        self.click(selector)
        self.ask("Input.insertText", text=text)

    def choose(self, selector: str, *paths: Path) -> None:
        """Choose files in a field for files. Raises ChromiumError when there is no such field."""
        found = self.ask("Runtime.evaluate", expression=f"document.querySelector({json.dumps(selector)})")["result"]
        if "objectId" not in found:
            raise ChromiumError(f"nothing on this page is {selector}")
        self.ask("DOM.setFileInputFiles", files=[str(path) for path in paths], objectId=found["objectId"])

    def drop(self, selector: str, *paths: Path) -> None:
        """Drag files over an element and let go. Raises ChromiumError when there is none."""
        place = self._middle(selector)
        data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
        for kind in ("dragEnter", "dragOver", "drop"):
            self.ask("Input.dispatchDragEvent", type=kind, x=place[0], y=place[1], data=data)

    def until(self, selector: str) -> None:
        """Wait until something on the page, whichever page that is by then, is ``selector``."""
        deadline = time.monotonic() + _TIMEOUT
        while time.monotonic() < deadline:
            with suppress(ChromiumError):  # between two pages there is nothing to ask
                if self.value(
                    f"document.readyState === 'complete' && !!document.querySelector({json.dumps(selector)})"
                ):
                    return
            time.sleep(0.05)
        raise ChromiumError(f"nothing came that is {selector}: {self.value('document.body.innerText')[:500]}")

    def download(self, selector: str) -> tuple[str, bytes]:
        """Click on an element that gives a file: its suggested name and its bytes."""
        self.click(selector)
        begun = self._browser.wait(lambda event: event["method"] == "Browser.downloadWillBegin", selector)["params"]
        while True:
            event = self._browser.wait(lambda event: event["method"] == "Browser.downloadProgress", selector)["params"]
            if event["guid"] == begun["guid"] and event["state"] == "completed":
                return begun["suggestedFilename"], (self._downloads / begun["guid"]).read_bytes()
            if event["state"] == "canceled":
                raise ChromiumError(f"the download was broken off: {begun['url']}")

    def value(self, expression: str) -> Any:
        """What a JavaScript expression gives (asked by the debugger: it works where pages may not run scripts)."""
        answer = self.ask("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in answer:
            raise ChromiumError(f"{expression}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def overflow(self) -> list[str]:
        """What sticks out to the right of the window: the page itself, or elements that are not clipped on purpose."""
        found: list[str] = self.value(
            f"(() => {{ const width = {self._width}, found = [], whole = document.documentElement.scrollWidth;"
            "if (whole > width) found.push(`page: ${whole} > ${width}`);"
            "for (const e of document.body.querySelectorAll('*')) { const right = e.getBoundingClientRect().right;"
            "if (right > width + 1) found.push(`${e.tagName}.${e.className}: ${Math.round(right)} > ${width}`); }"
            "return found.slice(0, 20) })()"
        )
        return found

    def picture(self, *, whole: bool = True, height: int | None = None) -> bytes:
        """A PNG of the whole page, of its first ``height`` pixels, or (not ``whole``) of what the window shows."""
        if not whole:
            return base64.b64decode(self.ask("Page.captureScreenshot", format="png")["data"])
        box = self.ask("Page.getLayoutMetrics")["cssContentSize"]
        tall = min(box["height"], height) if height else box["height"]
        clip = {"x": 0, "y": 0, "width": box["width"], "height": tall, "scale": 1}
        answer = self.ask("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
        return base64.b64decode(answer["data"])

    def print(self) -> bytes:
        """The page as a PDF, on the paper that its stylesheet asks for."""
        answer = self.ask("Page.printToPDF", preferCSSPageSize=True, printBackground=False)
        return base64.b64decode(answer["data"])

    def _middle(self, selector: str) -> tuple[float, float]:
        """Scroll to an element: its middle in the window. Raises ChromiumError when there is none."""
        place = self.value(
            f"(() => {{ const e = document.querySelector({json.dumps(selector)}); if (!e) return null; "
            "e.scrollIntoView({block: 'center'}); const r = e.getBoundingClientRect(); "
            "return [r.x + r.width / 2, r.y + r.height / 2] })()"
        )
        if place is None:
            raise ChromiumError(f"nothing on this page is {selector}")
        return place[0], place[1]

    def _loaded(self) -> None:
        """Wait for the load event, gathering complaints."""
        while True:
            event = self._browser.wait(lambda event: event.get("sessionId") == self._session, "load")
            self._complaint(event)
            if event["method"] == "Page.loadEventFired":
                break
        self.ask("Runtime.evaluate", expression="document.fonts.ready.then(() => 1)", awaitPromise=True)
        for event in self._browser.events():
            self._complaint(event)

    def _complaint(self, event: dict[str, Any]) -> None:
        method, details = event["method"], event["params"]
        if method == "Runtime.exceptionThrown":
            self.errors.append(f"exception: {details['exceptionDetails']['text']}")
        elif method == "Runtime.consoleAPICalled" and details["type"] in ("error", "warning"):
            self.errors.append(f"console: {details['args']}")
        elif method == "Log.entryAdded" and details["entry"]["level"] in ("error", "warning"):
            entry = details["entry"]
            self.errors.append(f"{entry['source']}: {entry['text']} {entry.get('url', '')}".strip())


@contextmanager
def running() -> Iterator[Chromium]:
    """Start Chromium, end it and all its processes at the end, leave nothing."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        raise ChromiumError("Chromium is not installed (Debian: apt-get install chromium)")
    folder = Path(tempfile.mkdtemp(prefix="tangthu-chromium-"))
    root = ["--no-sandbox"] if os.geteuid() == 0 else []
    command = [program, *_FLAGS, *root, f"--user-data-dir={folder / 'profile'}", "about:blank"]
    theirs_in, ours_out = _pipe()
    ours_in, theirs_out = _pipe()
    try:
        process = subprocess.Popen(
            [sys.executable, "-c", _START, str(theirs_in), str(theirs_out), *command],
            pass_fds=(theirs_in, theirs_out),
            env=os.environ | {"HOME": str(folder), "XDG_CONFIG_HOME": str(folder), "XDG_CACHE_HOME": str(folder)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        os.close(theirs_in)
        os.close(theirs_out)
        try:
            yield Chromium(process, ours_out, ours_in, folder)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    finally:
        os.close(ours_in)
        os.close(ours_out)
        shutil.rmtree(folder, ignore_errors=True)


def _pipe() -> tuple[int, int]:
    """A pipe whose descriptors are not 3 or 4, where Chromium's own must come to lie."""
    ends = os.pipe()
    high = tuple(fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 16) for end in ends)
    for end in ends:
        os.close(end)
    return high[0], high[1]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Chromium]:
    """The browser of this test process."""
    with running() as browser:
        yield browser
