#!/usr/bin/env python3
"""check-sources.py — the rules that the compiler does not know.

1. Unsafe pointers are only in Sources/Platform, Sources/Kernels, Sources/Vector*, the three files that call libmujoco, the one that calls
   libhdf5 (a C library has no other way in) and the one that counts allocations.
2. `@unchecked Sendable` and `nonisolated(unsafe)` are only where Scripts/check-sources.allowed says so, with a reason;
   an entry that is no longer needed is a mistake too.
3. Each target names every target that it reaches through others: the package manager builds a target anew only when a
   module that it names has changed, and a program with an old idea of a type's layout crashes.
4. Only Sources/OffPolicyProgram imports Foundation. Targets below it import FoundationEssentials where there is one (not in the
   SDK of macOS): a program loads it in less time.
5. Messages of the library name no flags and no commands: only Sources/OffPolicyProgram has those, see its Advice.swift.
"""

import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
ALLOWED = ROOT / "Scripts/check-sources.allowed"
UNSAFE_PLACES = re.compile(r"Sources/(Platform/|Kernels/|Vector|AllocationCount/|CInterface/|MuJoCoTasks/MuJoCo(Library|Batch|Rays)\.swift$|Formats/HDF5(Library|File)\.swift$)")


def code(path):
    """The lines of a file without their comments."""
    for number, line in enumerate(path.read_text().splitlines(), 1):
        yield number, re.sub(r"//.*", "", line).strip()


def foundation_imports(path):
    """Numbers of the lines that import Foundation, but for those where there is no FoundationEssentials."""
    branches = []  # of each `#if` around the line: its condition, and whether the line is in its `#else`
    for number, line in code(path):
        if line.startswith("#if"):
            branches.append([line, False])
        elif line.startswith("#elseif"):
            branches[-1] = ["", False]
        elif line.startswith("#else"):
            branches[-1][1] = True
        elif line.startswith("#endif"):
            branches.pop()
        elif re.search(r"\bimport\s+(\w+\s+)?Foundation\b", line):
            if ["#if canImport(FoundationEssentials)", True] not in branches:
                yield number


def flags_in_messages(path):
    """(number, line) of the string literals that name a flag or a command of the program, but for lines marked as another's."""
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if line.endswith("  // another program's flag"):
            continue
        literals = re.findall(r'"(?:[^"\\]|\\.)*"', re.sub(r"^\s*//.*", "", line))
        if any(re.search(r"(^|[\s(])--[a-z]|`offpolicy |`resume`", literal.strip('"')) for literal in literals):
            yield number, line.strip()


def unnamed_dependencies():
    """(target, what it reaches but does not name) of this package's manifest."""
    manifest = subprocess.run(
        ["swift", "package", "--package-path", ROOT, "dump-package"], check=True, capture_output=True, text=True).stdout
    named = {}
    for target in json.loads(manifest)["targets"]:
        kinds = [dependency.get("byName") or dependency.get("target") for dependency in target["dependencies"]]
        named[target["name"]] = {kind[0] for kind in kinds if kind}
    for target, names in named.items():
        reached, left = set(), list(names)
        while left:
            name = left.pop()
            if name not in reached:
                reached.add(name)
                left += named.get(name, [])
        if reached - names:
            yield target, reached - names


def main():
    problems = []
    allowed = {}
    for number, line in enumerate(ALLOWED.read_text().splitlines(), 1):
        if line.strip() and not line.startswith("#"):
            parts = [part.strip() for part in line.split("|")]
            if len(parts) != 3 or len(parts[2]) < 20:
                problems.append(f"{ALLOWED.name}:{number}: not `file | declaration | reason`")
            else:
                allowed[parts[0], parts[1]] = False
    for path in sorted((ROOT / "Sources").rglob("*.swift")):
        name = path.relative_to(ROOT).as_posix()
        if path.is_symlink():
            continue
        if not name.startswith("Sources/OffPolicyProgram/"):
            for number in foundation_imports(path):
                problems.append(f"{name}:{number}: imports Foundation: import FoundationEssentials, or the C library")
        if not name.startswith(("Sources/OffPolicyProgram/", "Sources/Report/PageStyle")):
            for number, line in flags_in_messages(path):
                problems.append(f"{name}:{number}: a message names a flag or a command: {line}")
        for number, line in code(path):
            # a page's security policy has words of that kind
            if re.search("unsafe", line.replace("'unsafe-inline'", ""), re.IGNORECASE) and not UNSAFE_PLACES.match(name):
                problems.append(f"{name}:{number}: unsafe code outside its places: {line}")
            if "@unchecked" in line or "nonisolated(unsafe)" in line:
                match = re.search(r"(?:class|struct|enum|extension|actor|var|let) (\w+)", line)
                key = name, match[1] if match else line
                if key in allowed:
                    allowed[key] = True
                else:
                    problems.append(f"{name}:{number}: {line} is not in {ALLOWED.name}")
    for (name, declaration), used in allowed.items():
        if not used:
            problems.append(f"{ALLOWED.name}: {name} has no unchecked {declaration} any more")
    for target, names in unnamed_dependencies():
        problems.append(f"Package.swift: {target} reaches {', '.join(sorted(names))} without naming them")
    for problem in problems:
        print("check-sources.py:", problem, file=sys.stderr)
    if problems:
        sys.exit(1)
    print(f"check-sources.py: unsafe code only in its places, {len(allowed)} unchecked declarations, all with a reason, all dependencies named, "
          "Foundation only in the program")


if __name__ == "__main__":
    main()
