"""Opens the report.html of a run in headless Chromium and uses it as a reader would.

    drive_run.py PAGE FRAMES WORD SIDES ASPECT [SCREENSHOT_PREFIX]

WORD: what frames are called (slice, frame, or the start of a file's name). SIDES: letters left, right,
above, below, or "-". ASPECT: width by height of a frame in millimetres.
Exit code 77: no Chromium here. SPDX-License-Identifier: MIT"""
import pathlib
import shutil
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "infer"))
from drive_report import STATE, Browser, check  # noqa: E402

SHAPES = """const stage = document.querySelector(".stage").getBoundingClientRect(),
    picture = document.querySelector("#picture");
    return {sides: ["left", "right", "above", "below"].map((s) => {
                const e = document.querySelector(".side." + s);
                return e === null ? "" : e.textContent; }).join(""),
            stage: stage.width / stage.height, picture: picture.naturalWidth / picture.naturalHeight};"""


def drive(b, page, frames, word, sides, aspect):
    b.post("/url", {"url": page.as_uri()})
    start = b.run(STATE)
    check(start["loaded"] and start["wide"] > 0, "a picture is shown")
    check(start["path"][0].startswith("M"), "with an outline: it opens where the object is largest")
    check(start["notes"][0].startswith("score"), f"and its record: {start['notes']}")
    shapes = b.run(SHAPES)
    check(shapes["sides"] == ("" if sides == "-" else sides), f"sides: {shapes['sides']}")
    for what in ("stage", "picture"):
        check(abs(shapes[what] / aspect - 1) < 0.05, f"{what}: width by height {shapes[what]}, wanted {aspect}")
    b.keys("home")
    for k in range(min(frames, 4)):
        state = b.run(STATE)
        check(state["slider"] == k, f"the slider is at {k}")
        check(state["caption"].startswith(f"Frame {k} (0 to {frames - 1}): {word}"), state["caption"])
        own = b.run("""return JSON.parse([...document.querySelectorAll("script.frame")].find(
            (e) => Number(e.dataset.frame) === arguments[0]).textContent).image;""", k)
        check(state["image"] == own, f"the picture is that of frame {k}")
        b.keys("right")
    b.keys("end")
    check(b.run(STATE)["slider"] == frames - 1, "End leads to the last frame")
    b.keys("c")
    check(not any(b.run(STATE)["shown"]), "c hides the outlines")
    b.keys("c")
    check(all(b.run(STATE)["shown"]), "and shows them again")
    b.click("#target-0")
    check(not any(b.run(STATE)["shown"]), "so does the object's checkbox")
    b.click("#target-0")
    log = b.post("/se/log", {"type": "browser"})
    check(log == [], f"no console messages: {log}")
    b.keys("home", *["right"] * start["slider"])
    b.run("scrollTo(0, 0)")


def main():
    page, frames, word, sides, aspect = sys.argv[1:6]
    driver, chromium = shutil.which("chromedriver"), shutil.which("chromium")
    if driver is None or chromium is None:
        return 77
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        b = Browser(driver, chromium, profile)
        try:
            drive(b, pathlib.Path(page).resolve(), int(frames), word, sides, float(aspect))
            if len(sys.argv) > 6:
                b.picture(sys.argv[6] + ".png", 1200, 1900)
        except AssertionError as e:
            print(f"{page}: not so: {e}", file=sys.stderr)
            return 1
        finally:
            b.close()
    return 0


sys.exit(main())
