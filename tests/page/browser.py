# SPDX-License-Identifier: Apache-2.0
"""Debian's chromium without a screen, driven by its own protocol (DevTools) through a pipe.

https://chromedevtools.github.io/devtools-protocol/: messages are JSON, each behind a NUL, on descriptors 3 and 4.
"""

import base64
import json
import os
import pathlib
import select
import shutil
import subprocess
import tempfile
import time

CHROMIUM = shutil.which("chromium")
WIDE = (1280, 800)
NARROW = (360, 740)
PATIENCE = 120  # seconds that one answer may take, on a busy machine too


class Browser:
    """One page of a browser: what it shows, and what it complained of."""

    def __init__(self):
        self._profile = tempfile.TemporaryDirectory()
        to_browser, self._to = os.pipe()
        self._from, from_browser = os.pipe()

        def at_3_and_4():
            os.dup2(to_browser, 13)
            os.dup2(from_browser, 14)
            os.dup2(13, 3)
            os.dup2(14, 4)

        self._process = subprocess.Popen(
            [CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run",
             "--disable-background-networking", "--force-color-profile=srgb", f"--user-data-dir={self._profile.name}",
             "--remote-debugging-pipe", "about:blank"],
            preexec_fn=at_3_and_4, pass_fds=(3, 4), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        os.close(to_browser)
        os.close(from_browser)
        self._rest = b""
        self._last = 0
        self._session = None
        self.complaints = []  # exceptions, errors of the console, what a policy forbade
        self.requests = []  # addresses that were asked for
        self._loaded = False
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self._call(f"{domain}.enable")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        os.close(self._to)  # it ends with its pipe
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._from)
        self._profile.cleanup()

    # --- the protocol

    def _call(self, method, **parameters):
        self._last += 1
        message = {"id": self._last, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self._to, data):]
        while True:
            answer = self._next()
            if answer.get("id") == self._last:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                return answer["result"]

    def _next(self):
        deadline = time.monotonic() + PATIENCE
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._from], [], [], max(0, deadline - time.monotonic()))
            data = os.read(self._from, 1 << 20) if ready else b""
            if not data:
                raise RuntimeError("chromium has ended, or does not answer")
            self._rest += data
        message, self._rest = self._rest.split(b"\0", 1)
        message = json.loads(message)
        self._hear(message.get("method"), message.get("params", {}))
        return message

    def _hear(self, event, what):
        if event == "Runtime.exceptionThrown":
            details = what["exceptionDetails"]
            self.complaints.append(details.get("exception", {}).get("description") or details["text"])
        elif event == "Log.entryAdded" and what["entry"]["level"] in ("error", "warning"):
            self.complaints.append(what["entry"]["text"])
        elif event == "Network.requestWillBeSent":
            self.requests.append(what["request"]["url"])
        elif event == "Page.loadEventFired":
            self._loaded = True

    # --- what one does with it

    def open(self, page, size=WIDE, dark=False, fragment="", scripts=True):
        """Loads a file; `page` is its path, or an address of http."""
        self.resize(size)
        self._call("Emulation.setScriptExecutionDisabled", value=not scripts)
        self._call("Emulation.setEmulatedMedia", media="", features=[
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        self._navigate("about:blank")
        self.complaints.clear()
        self.requests.clear()
        http = isinstance(page, str) and page.startswith("http://")
        self._navigate((page if http else pathlib.Path(page).resolve().as_uri()) + fragment)
        if scripts:
            self.settle()

    def _navigate(self, address):
        self._loaded = False
        if error := self._call("Page.navigate", url=address).get("errorText"):
            raise RuntimeError(f"{address}: {error}")
        while not self._loaded:
            self._next()

    def resize(self, size):
        self._call("Emulation.setDeviceMetricsOverride", width=size[0], height=size[1], deviceScaleFactor=1, mobile=False)

    def settle(self):
        """Until what was to be drawn is drawn."""
        self.run("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))")

    def run(self, expression):
        """The value of an expression, or of a promise; the page's policy does not count for it."""
        result = self._call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in result:
            raise RuntimeError(result["exceptionDetails"].get("exception", {}).get("description", "exception"))
        return result["result"].get("value")

    def key(self, name):
        for kind in ("rawKeyDown", "keyUp"):
            self._call("Input.dispatchKeyEvent", type=kind, key=name, code=name,
                       windowsVirtualKeyCode={"Tab": 9, "Enter": 13, "ArrowRight": 39, "ArrowLeft": 37}[name])

    def screenshot(self, file, whole=False):
        data = self._call("Page.captureScreenshot", format="png", captureBeyondViewport=whole,
                          **({"clip": {"x": 0, "y": 0, "width": self.run("document.documentElement.scrollWidth"),
                                       "height": self.run("document.documentElement.scrollHeight"), "scale": 1}} if whole else {}))
        pathlib.Path(file).write_bytes(base64.b64decode(data["data"]))

    def pdf(self):
        return base64.b64decode(self._call("Page.printToPDF")["data"])

    def visible_text(self):
        """The words that stand within the window, top to bottom."""
        return self.run("""(() => {
            const words = [];
            const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
            while (walk.nextNode()) {
                const range = document.createRange();
                range.selectNodeContents(walk.currentNode);
                const box = range.getBoundingClientRect();
                if (box.width > 0 && box.top >= 0 && box.bottom <= innerHeight && box.right <= innerWidth) {
                    words.push(walk.currentNode.textContent.trim());
                }
            }
            return words.join("\\n");
        })()""")
