"""Opens a report in headless Chromium and says what is wrong with it.

usage: check_report.py CHROMIUM REPORT.html [PICTURES]

With script: no message on the console that is a warning or an error, no request besides the page itself, tables that can
be sorted, nothing wider than the page, light and dark. Without script: table, mathematics and pictures are there. It can be
printed, and is smaller than 3 MB. Screenshots go to the folder PICTURES if one is named.

Talks to Chromium over its debugging pipe (file descriptors 3 and 4, messages of JSON that end with a NUL byte), for which
the standard library is enough.
"""

import base64
import fcntl
import json
import os
import pathlib
import select
import signal
import subprocess
import sys
import tempfile
import time

LARGEST = 3_000_000
SECONDS = 60
# Pixels of a screenshot from top to bottom.
SLICE = 1500


class Browser:
    """A Chromium of our own, with an empty profile."""

    def __init__(self, program, profile):
        to_browser, self.to = os.pipe()
        self.back, from_browser = os.pipe()
        # Out of the way of 3 and 4, which the browser wants.
        theirs = [fcntl.fcntl(end, fcntl.F_DUPFD, 20) for end in (to_browser, from_browser)]

        def place():
            os.dup2(theirs[0], 3)
            os.dup2(theirs[1], 4)

        self.process = subprocess.Popen(
            [
                program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                "--disable-background-networking", "--disable-component-update", "--disable-sync",
                f"--user-data-dir={profile}", "--remote-debugging-pipe", "--window-size=1000,900", "about:blank",
            ],
            preexec_fn=place, pass_fds=(3, 4), stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )
        for end in [to_browser, from_browser, *theirs]:
            os.close(end)
        self.number = 0
        self.buffer = b""
        self.events = []
        self.session = None

    def message(self, until):
        """The next message; raises after `until`."""
        while b"\0" not in self.buffer:
            ready, _, _ = select.select([self.back], [], [], max(0.0, until - time.monotonic()))
            if not ready:
                raise TimeoutError("Chromium does not answer")
            part = os.read(self.back, 1 << 16)
            if not part:
                raise EOFError("Chromium has gone away")
            self.buffer += part
        text, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(text)

    def call(self, method, **params):
        """The result of a command; events that come meanwhile are kept."""
        self.number += 1
        command = {"id": self.number, "method": method, "params": params}
        if self.session:
            command["sessionId"] = self.session
        os.write(self.to, json.dumps(command).encode() + b"\0")
        until = time.monotonic() + SECONDS
        while True:
            answer = self.message(until)
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]
            if "method" in answer:
                self.events.append(answer)

    def wait_for(self, method):
        """Waits for an event that may have come already."""
        until = time.monotonic() + SECONDS
        while not any(event["method"] == method for event in self.events):
            answer = self.message(until)
            if "method" in answer:
                self.events.append(answer)

    def open(self):
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ["Page", "Runtime", "Log", "Network", "DOM"]:
            self.call(f"{domain}.enable")

    def load(self, url):
        """Loads a page and returns what went wrong: messages of the console, requests for anything else."""
        self.events.clear()
        self.call("Page.navigate", url=url)
        self.wait_for("Page.loadEventFired")
        # Whatever a page does after it has loaded.
        time.sleep(1.0)
        self.call("Runtime.getIsolateId")
        return self.faults(url)

    def faults(self, url):
        found = []
        for event in self.events:
            method, params = event["method"], event.get("params", {})
            if method == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning", "assert"):
                found.append(f"console: {[part.get('value') for part in params['args']]}")
            elif method == "Runtime.exceptionThrown":
                found.append(f"exception: {params['exceptionDetails']['text']}")
            elif method == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
                found.append(f"log: {params['entry']['text']}")
            elif method == "Network.requestWillBeSent":
                asked = params["request"]["url"]
                if asked != url and not asked.startswith("data:"):
                    found.append(f"request: {asked}")
        return found

    def value(self, script):
        result = self.call("Runtime.evaluate", expression=script, returnByValue=True)
        if "exceptionDetails" in result:
            raise RuntimeError(f"{script}: {result['exceptionDetails']}")
        return result["result"].get("value")

    def count(self, selector):
        """Elements that a selector finds, and how many of them take room on the page; without any script."""
        root = self.call("DOM.getDocument", depth=0)["root"]["nodeId"]
        nodes = self.call("DOM.querySelectorAll", nodeId=root, selector=selector)["nodeIds"]
        seen = 0
        for node in nodes:
            try:
                box = self.call("DOM.getBoxModel", nodeId=node)["model"]
            except RuntimeError:
                continue
            seen += box["width"] > 0 and box["height"] > 0
        return len(nodes), seen

    def scheme(self, word):
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": word}])

    def screenshots(self, folder, name):
        """The page from top to bottom, in pictures that can be looked at."""
        height = self.height()
        for number, top in enumerate(range(0, int(height), SLICE), 1):
            clip = {"x": 0, "y": top, "width": 1000, "height": min(SLICE, height - top), "scale": 1}
            picture = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
            (folder / f"{name}-{number}.png").write_bytes(base64.b64decode(picture["data"]))

    def height(self):
        return self.call("Page.getLayoutMetrics")["cssContentSize"]["height"]

    def close(self):
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()


def check(condition, text):
    if not condition:
        sys.exit(f"check_report.py: {text}")
    print(f"ok: {text}")


SORTED = """(() => {
  const table = document.querySelector("table.sortable");
  const button = table.tHead.rows[0].cells[1].querySelector("button");
  const values = () => Array.from(table.tBodies[0].rows, (row) => Number(row.cells[1].dataset.value));
  const before = values();
  button.click();
  const up = values();
  button.click();
  const down = values();
  const expected = before.slice().sort((a, b) => a - b);
  return before.length > 2 && expected.every((x, i) => x === up[i] && x === down[down.length - 1 - i]);
})()"""


def main(program, report, pictures):
    size = report.stat().st_size
    check(size < LARGEST, f"{size / 1e6:.2f} MB are less than {LARGEST / 1e6:.0f}")
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        browser = Browser(program, folder / "profile")
        try:
            browser.open()
            # A page that does all that a report must not: were this not noticed, nothing would be.
            control = folder / "control.html"
            control.write_text(
                "<img src='http://127.0.0.1:9/x.png'><script>console.error('a'); nothing.at.all();</script>"
            )
            seen = " ".join(browser.load(control.as_uri()))
            check(all(word in seen for word in ["console:", "exception:", "request:"]), "faults are noticed")

            url = report.resolve().as_uri()
            found = browser.load(url)
            check(not found, f"no error, warning or request: {found}")
            check(browser.value(SORTED), "the table of parameters can be sorted, both ways")
            wide = browser.value("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            check(wide <= 0, f"nothing is wider than the page: {wide} pixels")
            backgrounds = []
            for scheme in ["light", "dark"]:
                browser.scheme(scheme)
                backgrounds.append(browser.value("getComputedStyle(document.body).backgroundColor"))
                if pictures:
                    browser.screenshots(pictures, f"{report.stem}-{scheme}")
            check(backgrounds[0] != backgrounds[1], f"light and dark: {backgrounds}")
            browser.scheme("light")
            pdf = base64.b64decode(browser.call("Page.printToPDF")["data"])
            check(pdf.startswith(b"%PDF") and len(pdf) > 10_000, "it can be printed")
            if pictures:
                (pictures / f"{report.stem}.pdf").write_bytes(pdf)
            found = browser.faults(url)
            check(not found, f"still no error, warning or request: {found}")

            browser.call("Emulation.setScriptExecutionDisabled", value=True)
            found = browser.load(url)
            check(not found, f"without script, no error, warning or request: {found}")
            check(browser.count("th button")[0] == 0, "script is off: nothing can be sorted")
            for selector, least in [
                ("table.sortable tbody tr", 3), ("figure svg", 4), ("math mi", 5), ("pre code", 3), ("main p", 5),
            ]:
                all_of_them, shown = browser.count(selector)
                check(
                    all_of_them >= least and shown == all_of_them,
                    f"without script, {shown} of {all_of_them} `{selector}` are shown",
                )
        finally:
            browser.close()


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    main(sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3]) if len(sys.argv) == 4 else None)
