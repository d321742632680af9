"""Opens report.html in headless Chromium and uses it as a reader would.

usage: drive_report.py PAGE FRAMES TARGETS [SCREENSHOT_PREFIX]
Exit code 77: no Chromium here. Only the standard library: WebDriver is JSON over HTTP.
SPDX-License-Identifier: MIT
"""
import base64
import json
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

KEYS = {"left": "\ue012", "right": "\ue014", "home": "\ue011", "end": "\ue010"}


class Browser:
    """A session of chromedriver."""

    def __init__(self, driver, chromium, profile):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.base = f"http://127.0.0.1:{s.getsockname()[1]}"
        self.process = subprocess.Popen([driver, f"--port={self.base.rsplit(':', 1)[1]}"],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        args = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                "--no-first-run", "--window-size=1200,900", f"--user-data-dir={profile}"]
        wanted = {"browserName": "chrome", "goog:loggingPrefs": {"browser": "ALL"},
                  "goog:chromeOptions": {"binary": chromium, "args": args}}
        for attempt in range(100):
            try:
                self.session = self.send("POST", "/session",
                                         {"capabilities": {"alwaysMatch": wanted}})["sessionId"]
                return
            except urllib.error.URLError as e:
                if isinstance(e, urllib.error.HTTPError):
                    raise RuntimeError(e.read().decode()) from e
                time.sleep(0.1)
        raise RuntimeError("chromedriver does not answer")

    def send(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, data, method=method,
                                         headers={"Content-Type": "application/json"})
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=60) as answer:
            return json.load(answer)["value"]

    def post(self, path, body):
        return self.send("POST", f"/session/{self.session}{path}", body)

    def run(self, script, *args):
        return self.post("/execute/sync", {"script": script, "args": list(args)})

    def keys(self, *names):
        actions = []
        for name in names:
            value = KEYS.get(name, name)
            actions += [{"type": "keyDown", "value": value}, {"type": "keyUp", "value": value}]
        self.post("/actions", {"actions": [{"type": "key", "id": "k", "actions": actions}]})

    def click(self, selector, share=0.5):
        """A real click, at a share of the element's width."""
        x, y = self.run("""const e = document.querySelector(arguments[0]);
            e.scrollIntoView({block: "center"});
            const r = e.getBoundingClientRect();
            return [r.left + r.width * arguments[1], r.top + r.height / 2];""", selector, share)
        self.post("/actions", {"actions": [{"type": "pointer", "id": "m", "actions": [
            {"type": "pointerMove", "x": round(x), "y": round(y)},
            {"type": "pointerDown", "button": 0}, {"type": "pointerUp", "button": 0}]}]})

    def picture(self, path, width, height):
        self.post("/window/rect", {"width": width, "height": height})
        time.sleep(0.3)
        png = self.send("GET", f"/session/{self.session}/screenshot")
        pathlib.Path(path).write_bytes(base64.b64decode(png))

    def close(self):
        try:
            self.send("DELETE", f"/session/{self.session}")
        finally:
            self.process.terminate()
            self.process.wait(20)


STATE = """const at = (q) => document.querySelector(q);
    const seen = (e) => getComputedStyle(e).display !== "none";
    return {slider: Number(at("#slider").value), caption: at("#caption").textContent,
            image: at("#picture").src, wide: at("#picture").naturalWidth,
            loaded: at("#picture").complete,
            path: [...document.querySelectorAll("#outlines path")].map((p) => p.getAttribute("d")),
            shown: [...document.querySelectorAll("#outlines path")].map(seen),
            curves: [...document.querySelectorAll(".plot polyline")].map(seen),
            notes: [...document.querySelectorAll(".switch output")].map((o) => o.textContent),
            now: Number(at(".plot .now").getAttribute("x1"))};"""


def check(condition, what):
    if not condition:
        raise AssertionError(what)


def drive(b, page, frames, targets):
    b.post("/url", {"url": page.as_uri()})
    start = b.run(STATE)
    check(start["loaded"] and start["wide"] > 0, "a picture is shown")
    check(len(start["path"]) == targets, "an outline for each target")
    check(start["path"][0].startswith("M") and start["path"][0].endswith("z"), "the first is drawn")
    check(start["path"][-1] == "", "the last target is found nowhere")
    check(start["notes"][-1].startswith("not found (score"), "and the page says so")
    check("absent" not in b.run("return document.body.innerText"), "nothing is called absent")

    b.keys("home")
    first = b.run(STATE)
    check(first["slider"] == 0 and first["now"] == 0, "Home leads to the first frame")
    b.keys("right", "right")
    third = b.run(STATE)
    check(third["slider"] == 2, "arrows move the slider")
    check(third["image"] != first["image"], "the slider changes the picture")
    check(third["caption"] != first["caption"] and "slice 2" in third["caption"], "and its label")
    check(abs(third["now"] - 1000 * 2 / (frames - 1)) < 1e-6, "and the mark in the plot")
    b.keys("left")
    check(b.run(STATE)["slider"] == 1, "arrows go back")
    b.click("#slider", 0.5)
    b.keys("right")
    state = b.run(STATE)
    middle = state["slider"]
    check(abs(middle - frames / 2) <= 3, "the slider is dragged to the middle")
    check(state["caption"].endswith(f"slice {middle}"), "and shows the frame of its place")
    b.keys("right")
    check(b.run(STATE)["slider"] == middle + 1, "one key, one frame, also with focus on the slider")

    b.click("#target-0")
    off = b.run(STATE)
    check(off["shown"] == [False] + [True] * (targets - 1), "a checkbox hides its outline")
    check(off["curves"][0] is False and off["curves"][1] is True, "and its curve")
    b.click("#target-0")
    check(all(b.run(STATE)["shown"]), "and shows it again")
    b.keys("c")
    check(not any(b.run(STATE)["shown"]), "c hides all outlines")
    b.keys("c")
    check(all(b.run(STATE)["shown"]), "c shows them again")
    b.click("#all")
    check(not any(b.run(STATE)["shown"]), "so does the checkbox for all")
    b.click("#all")

    b.click(".plot svg", 0.25)
    plot = b.run(STATE)
    check(abs(plot["slider"] - 0.25 * (frames - 1)) <= 1, "a click in the plot moves the slider")
    check(f"slice {plot['slider']}" in plot["caption"], "and shows that frame")
    b.click("#play")
    time.sleep(0.6)
    b.click("#play")
    check(b.run(STATE)["slider"] != plot["slider"], "it plays")

    check(b.run("return document.querySelectorAll('img').length") == 1, "no markup from a sentence")
    check(b.run("return document.querySelectorAll('b').length") == 0, "nor from a name")
    text = b.run("return document.body.textContent")
    check('</script><img src=x onerror=alert(1)> & more' in text, "a sentence is shown as it is")
    requests = b.run("""return performance.getEntriesByType("resource").map((e) => e.name)
        .filter((n) => !n.startsWith("data:"))""")
    check(requests == [], f"no request leaves the page: {requests}")
    unnamed = b.run("""return [...document.querySelectorAll("input, button")].filter((e) =>
        !(e.labels && e.labels.length) && !e.textContent.trim()).length""")
    check(unnamed == 0, "every control has a name")
    log = b.post("/se/log", {"type": "browser"})
    check(log == [], f"no console messages: {log}")


def narrow(b):
    """At the width of a phone nothing is wider than the page."""
    b.post("/window/rect", {"width": 500, "height": 900})
    wide = b.run("return [document.documentElement.scrollWidth, innerWidth]")
    check(wide[0] <= wide[1], f"the page fits a narrow window: {wide}")


def main():
    page, frames, targets = pathlib.Path(sys.argv[1]).resolve(), int(sys.argv[2]), int(sys.argv[3])
    driver, chromium = shutil.which("chromedriver"), shutil.which("chromium")
    if driver is None or chromium is None:
        print("chromium or chromium-driver is not installed", file=sys.stderr)
        return 77
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        b = Browser(driver, chromium, profile)
        try:
            drive(b, page, frames, targets)
            if len(sys.argv) > 4:
                b.run("scrollTo(0, 0)")
                b.picture(sys.argv[4] + "-wide.png", 1200, 1700)
                b.run("scrollTo(0, 1e6)")
                b.picture(sys.argv[4] + "-end.png", 1200, 1300)
                b.run("scrollTo(0, 0)")
                b.picture(sys.argv[4] + "-narrow.png", 500, 1700)
            narrow(b)
        except AssertionError as e:
            print(f"{page.name}: not so: {e}", file=sys.stderr)
            return 1
        finally:
            b.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
