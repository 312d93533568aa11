"""A real browser without a window: Chromium, driven by its DevTools protocol over a pair of pipes.

It uses pipes and no port, so that no program listens, and the test need not wait for a port.
Messages are JSON, each ended by a zero byte (https://chromedevtools.github.io/devtools-protocol).
"""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

from tests.rigs.needs import missing
from tests.slowness import patient

PROGRAMS = ("chromium", "chromium-browser", "chromium-headless-shell", "google-chrome", "chrome")
ANSWER_S_MAX = patient(50)
"""Less than the 60 s of a test, so that a browser that hangs fails one test only."""

OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--no-first-run",
    "--no-default-browser-check",
    "--remote-debugging-pipe",
)


class Browser:
    """The running program."""

    def __init__(self, profile: Path) -> None:
        program = next(filter(None, map(shutil.which, PROGRAMS)), None) or missing("Chromium (Debian: chromium)")
        # The pipes have to be its descriptors 3 (it reads) and 4 (it writes).
        shell = 'exec "$@" 3<&0 4>&1 </dev/null >/dev/null 2>&1'
        self._process = subprocess.Popen(
            ["sh", "-c", shell, "sh", program, *OPTIONS, f"--user-data-dir={profile}", "about:blank"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "HOME": str(profile)},
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._to, self._from = self._process.stdin, self._process.stdout.fileno()
        self._number = 0
        self._read = b""
        self.pages: dict[str, Page] = {}

    def call(self, method: str, session: str = "", **parameters: object) -> dict[str, Any]:
        """Send a command; return its answer, or raise its error."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        self._to.write(json.dumps({**message, **({"sessionId": session} if session else {})}).encode() + b"\0")
        self._to.flush()
        while (answer := self.heard()).get("id") != self._number:
            pass
        if "error" in answer:
            raise AssertionError(f"{method}: {answer['error']}")
        result: dict[str, Any] = answer["result"]
        return result

    def heard(self) -> dict[str, Any]:
        """Read the next message; its page also gets an event."""
        until_s = time.monotonic() + ANSWER_S_MAX
        while b"\0" not in self._read:
            if not select.select([self._from], [], [], max(0.0, until_s - time.monotonic()))[0]:
                raise TimeoutError(f"Chromium was silent for {ANSWER_S_MAX:.0f} s")
            more = os.read(self._from, 1 << 20)
            if not more:
                raise EOFError(f"Chromium ended (exit code {self._process.wait()})")
            self._read += more
        text, _, self._read = self._read.partition(b"\0")
        message: dict[str, Any] = json.loads(text)
        page = self.pages.get(message.get("sessionId", ""))
        if page is not None and "method" in message:
            page.events.append(message)
        return message

    def close(self) -> None:
        """End the browser, with all of its pages."""
        if self._process.poll() is None:
            try:
                self.call("Browser.close")
            except (EOFError, OSError, TimeoutError):
                self._process.kill()
        self._process.wait(ANSWER_S_MAX)
        self._to.close()
        assert self._process.stdout is not None
        self._process.stdout.close()


class Page:
    """One tab, of a given size, in light or dark."""

    def __init__(self, browser: Browser, *, width: int = 1280, height: int = 900, scheme: str = "light") -> None:
        self._browser = browser
        self._target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = browser.call("Target.attachToTarget", targetId=self._target, flatten=True)["sessionId"]
        self.events: list[dict[str, Any]] = []
        browser.pages[self._session] = self
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        mobile = width < 600
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=2 if mobile else 1,
            mobile=mobile,
        )
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def call(self, method: str, **parameters: object) -> dict[str, Any]:
        """The protocol, for this tab."""
        return self._browser.call(method, self._session, **parameters)

    def close(self) -> None:
        """Close the tab."""
        self._browser.call("Target.closeTarget", targetId=self._target)

    def open(self, address: str) -> None:
        """Load the page, and wait until it is there."""
        before = self.number("Page.loadEventFired")
        self.call("Page.navigate", url=address)
        while self.number("Page.loadEventFired") == before:
            self._browser.heard()

    def number(self, method: str) -> int:
        """The number of events of this name that came."""
        return sum(event["method"] == method for event in self.events)

    def tell(self, expression: str) -> Any:
        """The value of a JavaScript expression; waits for a promise."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise AssertionError(answer["exceptionDetails"])
        return answer["result"].get("value")

    def text(self, selector: str) -> str:
        """The text that a reader sees in the element, with single spaces."""
        return " ".join(str(self.tell(f"document.querySelector({json.dumps(selector)}).innerText")).split())

    def texts(self, selector: str) -> list[str]:
        """The same of all such elements, visible or not."""
        found = self.tell(f"[...document.querySelectorAll({json.dumps(selector)})].map((node) => node.textContent)")
        return [" ".join(text.split()) for text in found]

    def follow(self, selector: str) -> None:
        """Click a link to another place of the page."""
        self.tell(
            "new Promise((done) => { addEventListener('hashchange', () => done(), {once: true});"
            f"document.querySelector({json.dumps(selector)}).click(); }})"
        )

    def press(self, key: str, code: int) -> None:
        """Press a key that is no letter; ``code`` is its virtual key code."""
        text = {"text": "\r"} if key == "Enter" else {}
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, **text)

    def complaints(self) -> list[Any]:
        """Everything on the console, and every uncaught exception."""
        names = ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded")
        return [event["params"] for event in self.events if event["method"] in names]

    def requests(self) -> list[str]:
        """The addresses of all requests."""
        asked = [event["params"] for event in self.events if event["method"] == "Network.requestWillBeSent"]
        return [each["request"]["url"] for each in asked]

    def picture(self, file: Path) -> None:
        """The whole page as PNG, for people."""
        shot = self.call("Page.captureScreenshot", captureBeyondViewport=True)
        file.write_bytes(base64.b64decode(shot["data"]))
