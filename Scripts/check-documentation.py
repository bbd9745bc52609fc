#!/usr/bin/env python3
"""check-documentation.py — every public symbol of the library products has a doc comment, and DocC has nothing to complain of.

    Scripts/check-documentation.py [--modules FOLDER] [--archive FOLDER] [MODULE …]

It reads the symbol graphs of the modules that the products OffPolicy and OffPolicyProgram have, from a release build
(`./offpolicy --version` makes one; --modules names the folder of another). A symbol without a comment is told with its place,
unless it fulfils a requirement of a protocol, whose comment it has, or the compiler made it. Then DocC builds the
documentation of each module; its warnings are errors. --archive keeps what DocC made. Needs nothing but the toolchain.
"""

import argparse
import json
import pathlib
import platform
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
PRODUCTS = ["OffPolicy", "OffPolicyProgram"]
# requirements of the standard library's protocols: everybody knows them, and their comments are elsewhere
KNOWN = {
    "description", "encode(to:)", "init(from:)", "hash(into:)", "==(_:_:)", "next()", "rawValue", "init(rawValue:)", "allCases",
    "init(arrayLiteral:)", "init(dictionaryLiteral:)", "init(booleanLiteral:)", "init(floatLiteral:)", "init(integerLiteral:)",
    "init(stringLiteral:)",
}


def product_modules():
    manifest = json.loads(subprocess.run(
        ["swift", "package", "--package-path", ROOT, "dump-package"], check=True, capture_output=True, text=True).stdout)
    return sorted({t for product in manifest["products"] if product["name"] in PRODUCTS for t in product["targets"]})


def module_maps(modules):
    """Of the targets in C, ours and those of the packages that we depend on."""
    return [modules.parent / "Intrinsics.build/module.modulemap", *(ROOT / ".build/checkouts").glob("*/Sources/*/include/module.modulemap")]


def graphs(module, modules, folder):
    """The module's symbol graphs, written into the folder: its own and those of its extensions of others' types."""
    target = json.loads(subprocess.run(["swift", "-print-target-info"], check=True, capture_output=True, text=True).stdout)
    command = [
        "swift-symbolgraph-extract", "-module-name", module, "-I", modules,
        *(word for path in module_maps(modules) for word in ("-Xcc", f"-fmodule-map-file={path}")),
        "-target", target["target"]["unversionedTriple"] if platform.system() == "Linux" else target["target"]["triple"],
        "-minimum-access-level", "public", "-skip-synthesized-members", "-output-dir", folder]
    if platform.system() == "Darwin":
        command += ["-sdk", subprocess.run(["xcrun", "--show-sdk-path"], check=True, capture_output=True, text=True).stdout.strip()]
    result = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if result.returncode != 0:
        sys.exit(f"check-documentation.py: no symbol graph of {module}: {(result.stderr or result.stdout).strip()}")
    return [json.loads(path.read_text()) for path in sorted(folder.glob("*.symbols.json"))]


def undocumented(module, found):
    """(number of symbols, [place and name of those without a comment])."""
    count, missing = 0, []
    for graph in found:
        # a symbol that fulfils a requirement has the requirement's comment
        inherited = {r["source"] for r in graph["relationships"] if "sourceOrigin" in r}
        inherited |= {r["source"] for r in graph["relationships"] if r["kind"] in ("overrides", "defaultImplementationOf")}
        for symbol in graph["symbols"]:
            if symbol["identifier"]["precise"].endswith("Mc") or symbol["kind"]["identifier"] == "swift.extension":
                continue
            count += 1
            name = ".".join(symbol["pathComponents"])
            if symbol.get("docComment", {}).get("lines") or symbol["identifier"]["precise"] in inherited:
                continue
            if symbol["pathComponents"][-1] in KNOWN:
                continue
            place = symbol.get("location", {})
            where = place.get("uri", "").removeprefix("file://").removeprefix(str(ROOT) + "/")
            line = place.get("position", {}).get("line", -1) + 1
            missing.append(f"{where or module}:{line}: {name} has no doc comment")
    return count, sorted(missing)


def complaints(module, folder, archive):
    """What DocC warns of, but for parameters without a comment of their own: those whose names say all have none."""
    result = subprocess.run(
        ["docc", "convert", "--fallback-display-name", module, "--fallback-bundle-identifier", f"offpolicy.{module}",
         "--additional-symbol-graph-dir", folder, "--output-path", archive, "--ide-console-output"],
        capture_output=True, text=True)
    lines = (result.stdout + result.stderr).splitlines()
    found = [line.replace(str(ROOT) + "/", "") for line in lines if ": warning:" in line or ": error:" in line]
    found = [line for line in found if not re.search(r"Parameter '.*' is missing documentation", line)]
    return found if found or result.returncode == 0 else [f"docc ended with {result.returncode}: {result.stderr[-500:]}"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--modules", type=pathlib.Path, default=ROOT / ".build/release/Modules")
    parser.add_argument("--archive", type=pathlib.Path)
    parser.add_argument("names", nargs="*")
    arguments = parser.parse_args()
    if not arguments.modules.exists():
        sys.exit(f"check-documentation.py: there is no {arguments.modules}: build first (./offpolicy --version)")
    if not shutil.which("docc"):
        print("check-documentation.py: the toolchain has no docc: that DocC complains of nothing is NOT checked", file=sys.stderr)
    total, problems = 0, []
    for module in arguments.names or product_modules():
        with tempfile.TemporaryDirectory() as place:
            folder = pathlib.Path(place) / "graphs"
            folder.mkdir()
            count, missing = undocumented(module, graphs(module, arguments.modules, folder))
            total += count
            problems += missing
            if shutil.which("docc"):
                archive = (arguments.archive or pathlib.Path(place)) / f"{module}.doccarchive"
                archive.parent.mkdir(parents=True, exist_ok=True)
                problems += [f"DocC, {module}: {line}" for line in complaints(module, folder, archive)]
    for problem in problems:
        print("check-documentation.py:", problem, file=sys.stderr)
    if problems:
        sys.exit(f"check-documentation.py: {len(problems)} complaints about {total} public symbols")
    print(f"check-documentation.py: {total} public symbols, each with a comment")


if __name__ == "__main__":
    main()
