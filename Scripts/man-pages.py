#!/usr/bin/env python3
"""man-pages.py — a manual page for the program and one for each of its commands, from what the program says of itself.

    Scripts/man-pages.py PROGRAM FOLDER [--date 2026-11-28]

PROGRAM's `--experimental-dump-help` is the only source, so the pages cannot differ from `--help`. FOLDER gets offpolicy.1,
offpolicy-train.1, offpolicy-environment-check.1 and so on; `man -l FOLDER/offpolicy-train.1` shows one.
"""

import argparse
import json
import pathlib
import re
import subprocess
import sys


def escaped(text):
    """Text for roff: no backslash, hyphen or first character of a line is taken for a command."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"^([.'])", r"\\&\1", text, flags=re.M)


def bold(text):
    return f"\\fB{escaped(text)}\\fR"


def italic(text):
    return f"\\fI{escaped(text)}\\fR"


def name_of(name):
    return ("-" if name["kind"] in ("short", "longWithSingleDash") else "--") + name["name"]


def usage(argument):
    """How an argument is given: [--steps <steps>]."""
    value = italic(argument.get("valueName", "value"))
    if argument["kind"] == "positional":
        text = value
    else:
        text = bold(name_of(argument["preferredName"]))
        if argument["kind"] == "option":
            text += " " + value
    if argument.get("isRepeating"):
        text += " ..."
    return f"[{text}]" if argument.get("isOptional") else text


def heading(argument):
    if argument["kind"] == "positional":
        return italic(argument.get("valueName", "value"))
    names = ", ".join(bold(name_of(name)) for name in argument["names"])
    return names + (" " + italic(argument.get("valueName", "value")) if argument["kind"] == "option" else "")


def explanation(argument):
    text = " ".join(filter(None, [argument.get("abstract"), argument.get("discussion")]))
    default = argument.get("defaultValue")
    return escaped(text + (f" Default: {default}." if default and "efault:" not in text else ""))


def paragraphs(text):
    """A discussion: lines that are indented stay as they are."""
    for block in re.split(r"\n\s*\n", text.strip("\n")):
        yield ".PP"
        if re.search(r"^\s{2,}|\s{3,}", block, re.M):
            yield from [".nf", escaped(block), ".fi"]
        else:
            yield escaped(block)


def page(command, path, version, date):
    title = "-".join(path)
    # the program answers --help and --version everywhere; they are told on the first page
    arguments = [a for a in command.get("arguments", []) if a.get("shouldDisplay", True)]
    if len(path) > 1:
        arguments = [a for a in arguments if a.get("preferredName", {}).get("name") not in ("help", "version")]
    children = [c for c in command.get("subcommands", []) if c["commandName"] != "help" and c.get("shouldDisplay", True)]
    lines = [
        f'.TH "{title.upper()}" 1 "{date}" "{version}" "User Commands"', ".SH NAME",
        f"{escaped(title)} \\- {escaped((command.get('abstract') or '').rstrip('.'))}", ".SH SYNOPSIS",
        " ".join([bold(" ".join(path))] + [usage(a) for a in arguments] + ([italic("command") + " ..."] if children else []))]
    if command.get("discussion"):
        lines += [".SH DESCRIPTION", *list(paragraphs(command["discussion"]))]
    for section, kinds in (("ARGUMENTS", ["positional"]), ("OPTIONS", ["option", "flag"])):
        told = [a for a in arguments if a["kind"] in kinds]
        if told:
            lines.append(f".SH {section}")
        for argument in told:
            lines += [".TP", heading(argument), explanation(argument)]
    if children:
        lines.append(".SH COMMANDS")
        for child in children:
            lines += [".TP", bold(child["commandName"]), escaped(child.get("abstract") or "")]
    lines += [".SH EXIT STATUS", "0 on success. Else one line on standard error says what happened, where, and what to do next."]
    others = ["-".join(path + [c["commandName"]]) for c in children] or ["-".join(path[:-1])]
    lines += [".SH SEE ALSO", ", ".join(f"{bold(other)}(1)" for other in others)]
    return "\n".join(lines) + "\n"


def pages(command, path, version, date):
    yield "-".join(path) + ".1", page(command, path, version, date)
    for child in command.get("subcommands", []):
        if child["commandName"] != "help" and child.get("shouldDisplay", True):
            yield from pages(child, path + [child["commandName"]], version, date)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--date", default="", help="the date of the pages; none unless given, so that the same program gives the same bytes")
    arguments = parser.parse_args()

    def said(*words):
        return subprocess.run([arguments.program.resolve(), *words], check=True, capture_output=True, text=True).stdout

    version = said("--version").strip()
    command = json.loads(said("--experimental-dump-help"))["command"]
    arguments.folder.mkdir(parents=True, exist_ok=True)
    made = dict(pages(command, [command["commandName"]], version, arguments.date))
    for name, text in made.items():
        (arguments.folder / name).write_text(text)
    print(f"man-pages.py: {len(made)} pages in {arguments.folder}")


if __name__ == "__main__":
    sys.exit(main())
