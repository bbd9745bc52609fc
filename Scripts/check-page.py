#!/usr/bin/env python3
"""check-page.py — opens a report in headless Chromium at three widths, light and dark: its script runs and nothing is complained of.

    Scripts/check-page.py report.html [--screenshots FOLDER]
    Scripts/check-page.py --live PROGRAM RUN [--screenshots FOLDER]

With --live the page is that of `PROGRAM report --live RUN`, which Ctrl-C must then end. Where there is no Chromium it says so and exits with 3.
"""

import argparse
import contextlib
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile

WIDTHS = (390, 820, 1400)


def command(browser, profile, width, scheme, budget):
    return [
        browser, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}", "--enable-logging=stderr",
        f"--blink-settings=preferredColorScheme={scheme}", f"--window-size={width},2400", f"--virtual-time-budget={budget}"]


def open_page(browser, address, width, scheme, budget=3000, picture=None):
    """The page's elements after its script has run, and the browser's complaints."""
    with tempfile.TemporaryDirectory() as profile:
        call = command(browser, profile, width, scheme, budget)
        result = subprocess.run(call + ["--dump-dom", address], capture_output=True, text=True, timeout=180, check=True)
        if picture:
            picture.parent.mkdir(parents=True, exist_ok=True)
            subprocess.run(call + [f"--screenshot={picture.resolve()}", address], capture_output=True, timeout=180, check=True)
    return result.stdout, [line for line in result.stderr.splitlines() if "CONSOLE" in line]


def check_drawn(page, complaints, where):
    figures, drawn = page.count("<figure "), len(re.findall('class="tools"', page))
    assert drawn == figures > 0, f"{where}: the script drew {drawn} of {figures} figures"
    assert not complaints, "\n".join(complaints)
    return figures


def check_file(browser, path, screenshots):
    assert path.stat().st_size < 2_000_000, "the page is above 2 MB"
    figures = path.read_text().count("<figure ")
    for width in WIDTHS:
        for number, scheme in enumerate(("dark", "light")):
            picture = screenshots / f"{path.stem}-{width}-{scheme}.png" if screenshots else None
            page, complaints = open_page(browser, path.resolve().as_uri(), width, number, picture=picture)
            assert check_drawn(page, complaints, f"{width} {scheme}") == figures
    print(f"check-page.py: {figures} figures drawn at 3 widths, light and dark, no complaint")


@contextlib.contextmanager
def served(program, run):
    """The address of a run's live page."""
    process = subprocess.Popen([program, "report", "--live", run], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield process.stdout.readline().strip(), process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0, process.stderr.read()


def check_live(browser, program, run, screenshots):
    with served(program, run) as (address, _):
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/", address), address
        for width in WIDTHS:
            for number, scheme in enumerate(("dark", "light")):
                picture = screenshots / f"live-{width}-{scheme}.png" if screenshots else None
                figures = check_drawn(*open_page(browser, address, width, number, picture=picture), f"live, {width} {scheme}")
    print(f"check-page.py: {figures} figures of the live page drawn at 3 widths, light and dark, no complaint")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("page", type=pathlib.Path, nargs="?")
    parser.add_argument("--live", nargs=2, type=pathlib.Path, metavar=("PROGRAM", "RUN"))
    parser.add_argument("--screenshots", type=pathlib.Path)
    arguments = parser.parse_args()
    if (arguments.page is None) == (arguments.live is None):
        parser.error("give a page, or --live with a program and a run")
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not browser:
        print("check-page.py: NOT CHECKED: there is no chromium; install it", file=sys.stderr)
        sys.exit(3)
    if arguments.live:
        check_live(browser, *arguments.live, arguments.screenshots)
    else:
        check_file(browser, arguments.page, arguments.screenshots)


if __name__ == "__main__":
    main()
