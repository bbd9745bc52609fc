#!/usr/bin/env python3
"""check-page.py — opens a report in headless Chromium at three widths, light and dark: its script runs and nothing is complained of.

    Scripts/check-page.py report.html [--screenshots FOLDER]
    Scripts/check-page.py --live PROGRAM RUN [--screenshots FOLDER]

With --live the page is that of `PROGRAM report --live RUN`. While it is open rows are added to a copy of the run, and the page must show
them without being loaded again; when the program has ended it must say so. Where there is no Chromium it says so and exits with 3.
"""

import argparse
import contextlib
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

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
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0, process.stderr.read()


def check_live(browser, program, run, screenshots):
    with tempfile.TemporaryDirectory() as folder:
        run = pathlib.Path(shutil.copytree(run, pathlib.Path(folder) / "run"))
        log = run / "evaluations.csv"
        last = log.read_text().splitlines()[-1].split(",")

        def add(stop, pause):
            """Evaluations of returns that no run has."""
            value = 0
            while not stop.wait(pause):
                value += 1
                step = int(last[0]) + value
                with log.open("a") as file:
                    file.write(f"{step},5,{1e7 + value},0,{1e7 + value},{1e7 + value},200,{float(last[-1]) + value}\n")
            return value

        with served(program, run) as (address, _):
            assert re.fullmatch(r"http://127\.0\.0\.1:\d+/", address), address
            for width in WIDTHS:
                for number, scheme in enumerate(("dark", "light")):
                    picture = screenshots / f"live-{width}-{scheme}.png" if screenshots else None
                    check_drawn(*open_page(browser, address, width, number, picture=picture), f"live, {width} {scheme}")
            stop = threading.Event()
            adding = threading.Thread(target=add, args=(stop, 0.1))
            adding.start()
            page, complaints = open_page(browser, address, 1400, 1, budget=400_000)
            stop.set()
            adding.join()
            check_drawn(page, complaints, "live, while rows come")
            first = page.split('data-version="')[1].split('"')[0]
            changes = int(first.rsplit("-", 1)[1])
            seen = re.search(r"ends at a return of ([\d,]+)", page)
            assert seen and int(seen[1].replace(",", "")) > 10_000_000, "the page does not show what came while it was open"
            assert "10000" in page.split('id="live"')[0] or changes > 2, f"only {changes} changes were seen"
        # the program ends while the page is open
        with served(program, run) as (address, process):
            ending = threading.Thread(target=lambda: (time.sleep(4), os.kill(process.pid, signal.SIGINT)))
            ending.start()
            page, complaints = open_page(browser, address, 820, 1, budget=4_000_000)
            ending.join()
            check_drawn(page, [line for line in complaints if "ERR_CONNECTION" not in line], "live, at the end")
            assert "does not answer" in page, "the page does not say that the program has ended"
    print(f"check-page.py: the live page took over {changes} states of its run, kept its figures, and told the end of the program")


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
