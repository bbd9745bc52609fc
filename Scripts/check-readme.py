#!/usr/bin/env python3
"""check-readme.py — runs every command of README.md and Guides/Commands.md as printed, in an empty folder.

    Scripts/check-readme.py                     with the ./offpolicy of this checkout, which builds what is missing
    Scripts/check-readme.py --program PATH      with a program that is built already

A block of commands is a fenced block without a language, or of `sh`; each of its lines is run by bash, in order, in one folder for each
document. A block of `python` is run with the package in Python/, where its library is built. What a reader of the source must
know about a block is in HTML comments before it, so nothing is shortened silently:

    <!-- check-readme: train takes also: --steps 400 --set randomSteps=100 -->     appended to its `train` commands
    <!-- check-readme: instead of "learn(100_000)": "learn(300)" -->                replaced in the block
    <!-- check-readme: not run: the reason -->

Commands of MuJoCo's environments are left out, and said to be, where its library is missing.
"""

import argparse
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
DOCUMENTS = ["README.md", "Guides/Commands.md"]
MARK = re.compile(r"<!-- check-readme: (.*?) -->")
LIMIT = 300  # seconds that one command may take, on a busy machine


def blocks(text):
    """(language, lines, marks) of the fenced blocks; the marks are those between it and the block or heading before."""
    marks, lines, language = [], None, ""
    for line in text.splitlines():
        if lines is not None:
            if line.startswith("```"):
                yield language, lines, marks
                marks, lines = [], None
            else:
                lines.append(line)
        elif line.startswith("```"):
            language, lines = line[3:].strip(), []
        elif line.startswith("#"):
            marks = []
        else:
            marks += MARK.findall(line)


class Marks:
    """What the comments before a block say."""

    def __init__(self, marks):
        self.reason, self.further, self.replacements = None, "", []
        for mark in marks:
            replacement = re.fullmatch(r'instead of "(.*)": "(.*)"', mark)
            if mark.startswith("not run: "):
                self.reason = mark.removeprefix("not run: ")
            elif mark.startswith("train takes also: "):
                self.further = mark.removeprefix("train takes also: ")
            elif replacement:
                self.replacements.append(replacement.groups())
            else:
                sys.exit(f"check-readme.py: the comment `{mark}` says nothing that this check knows")

    def apply(self, text):
        for old, new in self.replacements:
            if old not in text:
                sys.exit(f"check-readme.py: a comment replaces {old!r}, and its block has none")
            text = text.replace(old, new)
        return text

    def command(self, line):
        command, *comment = re.split(r"\s+#", line, maxsplit=1)
        return f"{command} {self.further}" if re.search(r"offpolicy train\b", command) and self.further else command


class Check:
    def __init__(self, program):
        self.program = program
        self.run, self.left, self.failed = 0, [], []
        fetched = ROOT / ".deps/mujoco"
        if (fetched / "VERSIONS").exists():
            # a program elsewhere does not look here by itself
            os.environ.setdefault("OFFPOLICY_MUJOCO", str(fetched))
        self.mujoco = "OFFPOLICY_MUJOCO" in os.environ
        self.library = any((ROOT / "Python/offpolicy").glob("liboffpolicy.*"))

    def document(self, name):
        with tempfile.TemporaryDirectory() as place:
            folder = pathlib.Path(place)
            (folder / "offpolicy").symlink_to(self.program)
            for language, lines, marks in blocks((ROOT / name).read_text()):
                if language not in ("", "sh", "python"):
                    continue
                marks = Marks(marks)
                if marks.reason:
                    self.left.append(f"{name}: {lines[0]} …: {marks.reason}")
                elif language == "python":
                    self.python(name, marks.apply("\n".join(lines)), folder)
                else:
                    for line in marks.apply("\n".join(lines)).splitlines():
                        if line.strip() and not line.startswith("#"):
                            self.command(name, marks.command(line), folder)

    def python(self, name, code, folder):
        if not self.library:
            return self.left.append(f"{name}: its Python: the library is not built (Scripts/build-wheel.sh --library-only)")
        (folder / "block.py").write_text(code)
        self.start(name, f"{sys.executable} block.py", folder, {"PYTHONPATH": str(ROOT / "Python")})

    def command(self, name, command, folder):
        if not self.mujoco and re.search(r"\w-v5\b", command):
            return self.left.append(f"{name}: {command}: MuJoCo is missing (Scripts/fetch-dependencies)")
        self.start(name, command, folder, {})

    def start(self, name, command, folder, variables):
        began = time.monotonic()
        try:
            result = subprocess.run(
                ["bash", "-c", command], cwd=folder, env=os.environ | variables, stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", timeout=LIMIT)
            status, output = result.returncode, result.stdout
        except subprocess.TimeoutExpired:
            status, output = f"more than {LIMIT} s", ""
        self.run += 1
        print(f"{time.monotonic() - began:6.1f} s  {command}", flush=True)
        if status != 0:
            self.failed.append(f"{name}: `{command}` ended with {status}:\n{output[-2000:]}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", type=pathlib.Path, default=ROOT / "offpolicy")
    check = Check(parser.parse_args().program.resolve())
    for name in DOCUMENTS:
        check.document(name)
    for line in check.left:
        print("check-readme.py: NOT RUN:", line, file=sys.stderr)
    for line in check.failed:
        print("check-readme.py:", line, file=sys.stderr)
    if check.failed or not check.run:
        sys.exit(1)
    print(f"check-readme.py: {check.run} commands run as printed")


if __name__ == "__main__":
    main()
