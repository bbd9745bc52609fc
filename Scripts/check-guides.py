#!/usr/bin/env python3
"""check-guides.py — holds the guides against the sources.

    Scripts/check-guides.py          every mismatch is a line on standard error and a non-zero exit
    Scripts/check-guides.py --fix    writes the line numbers anew, where the quoted code is found once in its file, and the
                                     code of the examples

1. `File.swift:12` `code` in a guide: line 12 of that file contains the code.
2. Every `// differs:` line of the algorithms and of what they use is quoted so in a guide; Environments.md and MuJoCo.md
   keep tables of their own, which tests check.
3. Links lead to files, and to headings of them.
4. The code of Examples in README.md and the guides is that which is compiled and run: see `EXAMPLES`.
5. The tables of hyperparameters and of the tasks' options say what `offpolicy list --json` says, if the program is
   built; the log columns are those of RunDirectory.swift.
   --fix writes them anew. The table of Presets.md is that of `offpolicy list presets --json`; --fix writes it anew.
6. `FileTests` `a sentence` in a guide: Tests/…/FileTests.swift has a test of that name.
7. Guides/README.md, the map, has a link to each guide.
"""

import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
DOCUMENTS = sorted(ROOT.glob("*.md")) + sorted((ROOT / "Guides").glob("*.md"))
MENTION = re.compile(r"`(\w+\.swift):(\d+)` `([^`]+)`")
TEST = re.compile(r"`(\w+Tests)` `([^`]+)`")
LOOSE = re.compile(r"`?\b\w+\.swift:\d+`?(?!` `)")
GUIDES = {"fqe": "PolicyValue.md", "fqe-discrete": "PolicyValue.md", "sac-discrete": "DiscreteSAC.md", "crossq": "CrossQ.md",
          "xqc": "XQC.md"}
# documents with the whole text of files of Examples; README.md has its program without the comment at the top
EXAMPLES = {
    "OwnEnvironment.md": [
        "CustomTask/Package.swift", "CustomTask/Sources/CartTask/Cart.swift", "CustomTask/Sources/CustomTask/main.swift",
        "CustomTask/Sources/SmallLoop/main.swift"],
    "OwnAlgorithm.md": [
        "CustomAlgorithm/Sources/CustomAlgorithm/" + name
        for name in ("PlainTD3.swift", "PlainTD3+Declarations.swift", "main.swift")],
    "MuJoCo.md": ["CustomRobot/Sources/CustomRobot/Balancer.swift"],
}
DIFFERS = ["Algorithms", "Replay", "Networks", "Training", "Kernels", "Vector", "Presets"]

sources = {}
for path in (ROOT / "Sources").rglob("*.swift"):
    if not path.is_symlink():
        assert path.name not in sources, f"two files are called {path.name}"
        sources[path.name] = path
lines = {name: path.read_text().splitlines() for name, path in sources.items()}
problems = []


def check_mentions(document, text, fix):
    def replace(match):
        name, number, code = match[1], int(match[2]), match[3]
        if name not in lines:
            problems.append(f"{document.name}: there is no {name}")
            return match[0]
        if 0 < number <= len(lines[name]) and code in lines[name][number - 1]:
            return match[0]
        found = [i for i, line in enumerate(lines[name], 1) if code in line]
        if fix and len(found) == 1:
            return f"`{name}:{found[0]}` `{code}`"
        where = f"found on {', '.join(map(str, found))}" if found else "nowhere in the file"
        problems.append(f"{document.name}: {name}:{number} does not contain `{code}`: {where}")
        return match[0]

    return MENTION.sub(replace, text)


def check_differs(texts):
    quoted = set()
    for text in texts.values():
        quoted |= {(match[1], int(match[2])) for match in MENTION.finditer(text)}
    for name, path in sources.items():
        if path.parent.name in DIFFERS:
            for number, line in enumerate(lines[name], 1):
                if "// differs:" in line and (name, number) not in quoted:
                    problems.append(f"{name}:{number} is in no guide's table of deviations: {line.strip()}")


def anchors(text):
    """The names of the headings, as links say them."""
    for title in re.findall(r"^#+ (.*)$", re.sub(r"```.*?```", "", text, flags=re.S), re.M):
        yield re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def check_links(document, text):
    for target, heading in re.findall(r"\]\(([^)#:]*)(?:#([^)]*))?\)", text):
        path = document.parent / target if target else document
        if not path.exists():
            problems.append(f"{document.name}: the link to {target} leads nowhere")
        elif heading and heading not in anchors(path.read_text()):
            problems.append(f"{document.name}: {path.name} has no heading #{heading}")


def check_examples(document, text, fix):
    """The text with the code of its examples, as it is in Examples."""
    for name in EXAMPLES.get(document.name, []):
        code = (ROOT / "Examples" / name).read_text()
        first, block = code.splitlines()[0], f"```swift\n{code}```\n"
        if block not in text:
            begin = text.find(f"```swift\n{first}\n")
            if fix and begin >= 0:
                text = text[:begin] + block + text[text.index("\n```\n", begin) + len("\n```\n"):]
            else:
                problems.append(f"{document.name}: its example is not that of Examples/{name}: --fix copies it")
    return text


def check_map(texts):
    links = re.findall(r"\]\(([^)#:]+)\)", texts["Guides/README.md"])
    for name in sorted(texts.keys() - {"README.md", "Guides/README.md"}):
        if (ROOT / "Guides" / name).exists() and links.count(name) != 1:
            problems.append(f"Guides/README.md, the map, has {links.count(name)} links to {name}, not one")


def check_tests(document, text):
    for file, name in TEST.findall(text):
        paths = list((ROOT / "Tests").glob(f"*/{file}.swift"))
        if not paths:
            problems.append(f"{document.name}: there is no {file}.swift in Tests")
        elif not any(f"func `{name}`" in path.read_text() for path in paths):
            problems.append(f"{document.name}: {file}.swift has no test `{name}`")
    return len(TEST.findall(text))


def write_hyperparameters(guide, hyperparameters, texts):
    """Writes the guide's table of hyperparameters anew, under its heading. Symbols and meanings that it has stay."""
    head, heading, rest = texts[guide].partition("\n## Hyperparameters\n")
    table = re.search(r"(?:^\|.*\n)+", rest, re.M)
    if not heading or not table:
        return problems.append(f"{guide}: there is no table under the heading Hyperparameters, not even the first line of one")
    split = (re.split(r"(?<!\\)\|", row) for row in table.group().splitlines())
    old = {cells[1].strip(" `"): cells for cells in split if len(cells) == 8}
    rows = ["| name | symbol | default | allowed | source of the default | meaning |", "|---|---|---|---|---|---|"]
    for parameter in hyperparameters:
        symbol, meaning = parameter["symbol"].replace("|", r"\|") or "–", parameter["summary"]
        if parameter["name"] in old:
            symbol, meaning = old[parameter["name"]][2].strip(), old[parameter["name"]][6].strip()
        cells = [f"`{parameter['name']}`", symbol, f"`{written_default(parameter)}`", parameter["range"], parameter["source"], meaning]
        rows.append("| " + " | ".join(cells) + " |")
    text = head + heading + rest[:table.start()] + "\n".join(rows) + "\n" + rest[table.end():]
    if text != texts[guide]:
        texts[guide] = text
        (ROOT / "Guides" / guide).write_text(text)
        print(f"check-guides.py: the table of hyperparameters of {guide} written anew")


def written_default(parameter):
    default = parameter["default"]
    if isinstance(default, float) and default == int(default):
        default = int(default)
    return json.dumps(default, separators=(",", ":"))


def check_tables(texts, fix):
    headers = re.findall(r'"(step,[\w,]+)"', sources["RunLogs.swift"].read_text())
    if len(headers) != 4:
        problems.append(f"RunLogs.swift has {len(headers)} headers of logs that can be read here, not 4")
    for column in {name for row in headers for name in row.split(",")}:
        if f"`{column}`" not in texts["Files.md"]:
            problems.append(f"Files.md does not explain the column {column}")
    program = ROOT / ".build/release/offpolicy"
    if not program.exists():
        return print("check-guides.py: the program is not built, so the tables of hyperparameters were not checked")
    listed = json.loads(subprocess.run([program, "list", "--json"], check=True, capture_output=True, text=True).stdout)
    check_options(listed["environments"], texts)
    for algorithm in listed["algorithms"]:
        guide = GUIDES.get(algorithm["name"], algorithm["name"].upper() + ".md")
        if fix:
            write_hyperparameters(guide, algorithm["hyperparameters"], texts)
        rows = re.findall(r"^\| `(\w+)` \| [^|]* \| ([^|]*) \| ([^|]*) \| ([^|]*) \|", texts[guide].replace(r"\|", "¦"), re.M)
        written = {name: (default.strip(" `"), range.strip(), source.strip()) for name, default, range, source in rows}
        for parameter in algorithm["hyperparameters"]:
            expected = (written_default(parameter), parameter["range"], parameter["source"])
            if written.get(parameter["name"]) != expected:
                problems.append(f"{guide}: {parameter['name']} is {expected}, the table says {written.get(parameter['name'])}")


def written_value(value):
    """An option's default as a person types it."""
    if isinstance(value, list):
        return ",".join(map(written_value, value))
    if isinstance(value, bool):
        return str(value).lower()
    return str(int(value)) if isinstance(value, float) and value == int(value) else str(value)


def check_options(environments, texts):
    for environment in environments:
        guide = "MuJoCo.md" if environment["id"].endswith("-v5") else "Environments.md"
        rows = re.findall(r"^\| `(\w+)` \| ([^|]*) \| `([^|]*)` \| ([^|]*) \| ([^|]*) \|$", texts[guide], re.M)
        written = {(id, row[0]): row[1:4] for row in rows for id in row[4].split(", ")}
        for option in environment["options"]:
            if option["name"] == "max_episode_steps":
                continue
            expected = (option["summary"], written_value(option["default"]), option["allowed"])
            found = written.get((environment["id"], option["name"]))
            if found != expected:
                problems.append(f"{guide}: {option['name']} of {environment['id']} is {expected}, the table says {found}")


def preset_table():
    """The presets of the built program as a table; None where it is not built."""
    program = ROOT / ".build/release/offpolicy"
    if not program.exists():
        return None
    listed = json.loads(subprocess.run([program, "list", "presets", "--json"], check=True, capture_output=True, text=True).stdout)
    rows = ["| preset | environments | sets | from | measured here |", "|---|---|---|---|---|"]
    for preset in listed["presets"]:
        settings = {"steps": preset.get("steps"), "environments": preset.get("laneCount"), **preset["settings"]}
        values = [f"`{name}={written_setting(value['value'])}`" for name, value in settings.items() if value]
        origins = list(dict.fromkeys(value["source"] for value in settings.values() if value))
        rows.append(
            f"| `{preset['name']}` | {', '.join(preset['environments']) or 'any, by name'} | {', '.join(values)} | {'; '.join(origins)} "
            f"| {preset.get('measured', 'no')} |")
    return "\n".join(rows)


def written_setting(value):
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"), sort_keys=True)


def check_presets(texts, fix):
    table = preset_table()
    if table is None or table in texts["Presets.md"]:
        return
    if not fix:
        return problems.append("Presets.md: its table is not that of `offpolicy list presets --json`: --fix writes it anew")
    # the table alone: what the guide says after it stays
    head, rest = texts["Presets.md"].split("## The presets\n\n", 1)
    rest = "".join(rest.splitlines(keepends=True)[len(rest.split("\n\n", 1)[0].splitlines()):])
    texts["Presets.md"] = head + "## The presets\n\n" + table + "\n" + rest
    (ROOT / "Guides/Presets.md").write_text(texts["Presets.md"])
    print("check-guides.py: the table of Presets.md written anew")


def main():
    fix = sys.argv[1:] == ["--fix"]
    texts, tests = {}, 0
    for document in DOCUMENTS:
        text = document.read_text()
        checked = check_examples(document, check_mentions(document, text, fix), fix)
        if checked != text:
            document.write_text(checked)
            print(f"check-guides.py: line numbers or examples of {document.name} written anew")
        for loose in LOOSE.findall(MENTION.sub("", checked)):
            problems.append(f"{document.name}: {loose} is not followed by the code that the line contains")
        check_links(document, checked)
        tests += check_tests(document, checked)
        texts["Guides/README.md" if document == ROOT / "Guides/README.md" else document.name] = checked
    program = (ROOT / "Examples/CustomTask/Sources/CustomTask/main.swift").read_text()
    if "import " + program.split("\nimport ", 1)[1].rstrip() not in texts["README.md"]:
        problems.append("README.md: its example is not that of Examples/CustomTask")
    check_map(texts)
    check_differs(texts)
    check_tables(texts, fix)
    check_presets(texts, fix)
    for problem in problems:
        print("check-guides.py:", problem, file=sys.stderr)
    if problems:
        sys.exit(1)
    count = sum(len(MENTION.findall(text)) for text in texts.values())
    print(f"check-guides.py: {count} places in the sources and {tests} tests, all as the guides quote them")


if __name__ == "__main__":
    main()
