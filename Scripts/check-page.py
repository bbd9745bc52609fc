#!/usr/bin/env python3
"""check-page.py — opens a report in headless Chromium at three widths, light and dark: its script runs and nothing is complained of.

    Scripts/check-page.py report.html [--screenshots FOLDER]

Where there is no Chromium it says so and exits with 3.
"""

import argparse
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("page", type=pathlib.Path)
    parser.add_argument("--screenshots", type=pathlib.Path)
    arguments = parser.parse_args()
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not browser:
        print("check-page.py: NOT CHECKED: there is no chromium; install it", file=sys.stderr)
        sys.exit(3)
    address = arguments.page.resolve().as_uri()
    figures = arguments.page.read_text().count("<figure ")
    assert arguments.page.stat().st_size < 2_000_000, "the page is above 2 MB"
    for width in (390, 820, 1400):
        for number, scheme in enumerate(("dark", "light")):
            with tempfile.TemporaryDirectory() as profile:
                command = [
                    browser, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}", "--enable-logging=stderr",
                    f"--blink-settings=preferredColorScheme={number}", f"--window-size={width},2400", "--virtual-time-budget=3000"]
                result = subprocess.run(command + ["--dump-dom", address], capture_output=True, text=True, timeout=120, check=True)
                drawn = len(re.findall('class="tools"', result.stdout))
                assert drawn == figures > 0, f"{width} {scheme}: the script drew {drawn} of {figures} figures"
                complaints = [line for line in result.stderr.splitlines() if "CONSOLE" in line]
                assert not complaints, "\n".join(complaints)
                if arguments.screenshots:
                    arguments.screenshots.mkdir(parents=True, exist_ok=True)
                    target = (arguments.screenshots / f"{arguments.page.stem}-{width}-{scheme}.png").resolve()
                    subprocess.run(command + [f"--screenshot={target}", address], capture_output=True, timeout=120, check=True)
    print(f"check-page.py: {figures} figures drawn at 3 widths, light and dark, no complaint")


if __name__ == "__main__":
    main()
