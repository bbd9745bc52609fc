#!/usr/bin/env python3
"""check-page.py — opens a report in headless Chromium at three widths, light and dark: its script runs and nothing is complained of.

    Scripts/check-page.py report.html [--screenshots FOLDER]
    Scripts/check-page.py --live PROGRAM RUN [--screenshots FOLDER]

With --live the page is that of `PROGRAM report --live RUN`. While it is open rows are added to a copy of the run, and the page must show
them without being loaded again; when the program has ended it must say so. Where there is no Chromium it says so and exits with 3.
"""

import argparse
import contextlib
import http.server
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import urllib.error
import urllib.request

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


@contextlib.contextmanager
def between(address, before):
    """An address that hands requests on to another one, after `before` was told the path."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            before(self.path)
            try:
                with urllib.request.urlopen(address + self.path.lstrip("/"), timeout=60) as answer:
                    body, kind = answer.read(), answer.headers["Content-Type"]
            except urllib.error.URLError:
                return self.send_error(502)
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def check_live(browser, program, run, screenshots):
    with tempfile.TemporaryDirectory() as folder:
        run = pathlib.Path(shutil.copytree(run, pathlib.Path(folder) / "run"))
        log = run / "evaluations.csv"
        last = log.read_text().splitlines()[-1].split(",")
        asked = 0

        def add(path):
            """With each question of the page an evaluation of a return that no run has."""
            nonlocal asked
            if path != "/state":
                return
            asked += 1
            value = 1e7 + asked
            row = [int(last[0]) + asked, 5, value, 0, value, value, 200, float(last[-1]) + asked]
            with log.open("a") as file:
                file.write(",".join(map(str, row)) + "\n")

        with served(program, run) as (address, _):
            assert re.fullmatch(r"http://127\.0\.0\.1:\d+/", address), address
            for width in WIDTHS:
                for number, scheme in enumerate(("dark", "light")):
                    picture = screenshots / f"live-{width}-{scheme}.png" if screenshots else None
                    check_drawn(*open_page(browser, address, width, number, picture=picture), f"live, {width} {scheme}")
            with between(address, add) as address:
                page, complaints = open_page(browser, address, 1400, 1, budget=20_000)
            check_drawn(page, complaints, "live, while rows come")
            seen = re.search(r"ends at a return of ([\d,]+)", page)
            shown = int(seen[1].replace(",", "")) - 10_000_000 if seen else 0
            assert 1 < shown <= asked, f"the page shows row {shown} of the {asked} that came while it was open"
        # the program ends while the page is open
        with served(program, run) as (address, process):
            questions = []

            def end(path):
                questions.append(path)
                if questions.count("/state") == 2 and process.poll() is None:
                    process.send_signal(signal.SIGINT)
                    process.wait(20)

            with between(address, end) as address:
                page, complaints = open_page(browser, address, 820, 1, budget=20_000)
            check_drawn(page, [line for line in complaints if "502" not in line], "live, at the end")
            assert "does not answer" in page, "the page does not say that the program has ended"
    print(f"check-page.py: the live page took over {shown} of {asked} rows that came, kept its figures, and told the end of the program")


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
