#!/usr/bin/env python3
"""check-guides.py — holds the guides against the sources.

    Scripts/check-guides.py          every mismatch is a line on standard error and a non-zero exit
    Scripts/check-guides.py --fix    writes the line numbers anew, where the quoted code is found once in its file

1. `File.swift:12` `code` in a guide: line 12 of that file contains the code.
2. Every `// differs:` line of the algorithms and of what they use is quoted so in a guide; Environments.md and MuJoCo.md
   keep tables of their own, which tests check.
3. Links to files exist.
4. The examples in README.md are those in Examples, the robot in MuJoCo.md that in Examples/CustomRobot; all are compiled
   and run.
5. The tables of hyperparameters and of the tasks' options say what `offpolicy list --json` says, if the program is
   built; the log columns are those of RunDirectory.swift.
6. `FileTests` `a sentence` in a guide: Tests/…/FileTests.swift has a test of that name.
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
GUIDES = {"fqe": "PolicyValue.md", "fqe-discrete": "PolicyValue.md", "sac-discrete": "DiscreteSAC.md"}
DIFFERS = ["Algorithms", "Replay", "Networks", "Training", "Kernels", "Vector"]

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


def check_links(document, text):
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
        if not (document.parent / target).exists():
            problems.append(f"{document.name}: the link to {target} leads nowhere")


def check_tests(document, text):
    for file, name in TEST.findall(text):
        paths = list((ROOT / "Tests").glob(f"*/{file}.swift"))
        if not paths:
            problems.append(f"{document.name}: there is no {file}.swift in Tests")
        elif not any(f"func `{name}`" in path.read_text() for path in paths):
            problems.append(f"{document.name}: {file}.swift has no test `{name}`")
    return len(TEST.findall(text))


def check_tables(texts):
    headers = re.findall(r'"(step,[\w,]+)"', sources["RunLogs.swift"].read_text())
    if len(headers) != 3:
        problems.append(f"RunLogs.swift has {len(headers)} headers of logs that can be read here, not 3")
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
        rows = re.findall(r"^\| `(\w+)` \| [^|]* \| ([^|]*) \| ([^|]*) \| ([^|]*) \|", texts[guide].replace(r"\|", "¦"), re.M)
        written = {name: (default.strip(" `"), range.strip(), source.strip()) for name, default, range, source in rows}
        for parameter in algorithm["hyperparameters"]:
            default = parameter["default"]
            if isinstance(default, float) and default == int(default):
                default = int(default)
            expected = (json.dumps(default, separators=(",", ":")), parameter["range"], parameter["source"])
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


def main():
    fix = sys.argv[1:] == ["--fix"]
    texts, tests = {}, 0
    for document in DOCUMENTS:
        text = document.read_text()
        checked = check_mentions(document, text, fix)
        if checked != text:
            document.write_text(checked)
            print(f"check-guides.py: line numbers of {document.name} written anew")
        for loose in LOOSE.findall(MENTION.sub("", checked)):
            problems.append(f"{document.name}: {loose} is not followed by the code that the line contains")
        check_links(document, checked)
        tests += check_tests(document, checked)
        texts[document.name] = checked
    for example in ["CustomTask/Sources/CustomTask", "CustomTask/Sources/SmallLoop"]:
        code = (ROOT / "Examples" / example / "main.swift").read_text()
        if "import " + code.split("\nimport ", 1)[1].rstrip() not in texts["README.md"]:
            problems.append(f"README.md: its example is not that of Examples/{example}")
    robot = (ROOT / "Examples/CustomRobot/Sources/CustomRobot/Balancer.swift").read_text()
    if f"```swift\n{robot}```" not in texts["MuJoCo.md"]:
        problems.append("MuJoCo.md: its robot is not that of Examples/CustomRobot")
    check_differs(texts)
    check_tables(texts)
    for problem in problems:
        print("check-guides.py:", problem, file=sys.stderr)
    if problems:
        sys.exit(1)
    count = sum(len(MENTION.findall(text)) for text in texts.values())
    print(f"check-guides.py: {count} places in the sources and {tests} tests, all as the guides quote them")


if __name__ == "__main__":
    main()
