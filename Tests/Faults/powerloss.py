#!/usr/bin/env python3
"""Cuts the power at every moment of a run's saves, and opens what a disk may then hold.

    Tests/Faults/powerloss.py [--states N] [--seed S] [--require] [--jobs N] [--unsynced]

A short run with 34 checkpoints is recorded with strace: every open, write, truncation, sync, rename and removal. A model
of a disk then replays the record up to each call. What was synced is there. Of what was not, each file's data may be
dropped, written, cut off in the middle, or of full length and zero; and of each folder's entries (new names, renames,
removals) any number from the first on, or any of them alone, may be missing. N distinct folders are made so, of every
moment, and the program itself opens each with `resume` and trains to the end. It must go on from the last checkpoint that
was complete at that moment, or from the one that was being written, and reach the digest and the logs of the whole run.
Moments before the first checkpoint was complete are counted beside these: there the program must say so in one line.
--unsynced forgets every sync of the record: the script must then find something, or it could find nothing.
Needs strace; without it the script says so, and fails only if --require is given.
"""

import argparse
import collections
import concurrent.futures
import hashlib
import os
import pathlib
import random
import re
import shutil
import tempfile

import runs

SETTINGS = runs.settings(steps=480, evaluate=160, checkpoint=15, hidden="4")
CALLS = "open,openat,creat,write,pwrite64,ftruncate,fsync,fdatasync,rename,renameat,renameat2,unlink,unlinkat,mkdir,mkdirat,close"


class File:
    def __init__(self):
        self.now = bytearray()
        self.durable = b""
        self.changes = []  # since the last sync: (offset, data) or a length

    def write(self, offset, data):
        self.now.extend(bytes(max(0, offset + len(data) - len(self.now))))
        self.now[offset:offset + len(data)] = data
        self.changes.append((offset, data))

    def truncate(self, length):
        del self.now[length:]
        self.now.extend(bytes(length - len(self.now)))
        self.changes.append(length)

    def sync(self):
        self.durable, self.changes = bytes(self.now), []

    def after(self, fate):
        """What the disk may hold after a power loss."""
        if not self.changes or fate == "dropped":
            return self.durable
        if fate == "written":
            return bytes(self.now)
        if fate == "cut off":
            return bytes(self.now[:(len(self.durable) + len(self.now)) // 2])
        zeroed = bytearray(self.now)
        for change in self.changes:
            if not isinstance(change, int):
                offset, data = change
                end = min(len(zeroed), offset + len(data))
                zeroed[offset:end] = bytes(max(0, end - offset))
        return bytes(zeroed)


FATES = ("dropped", "written", "cut off", "zero")


class Disk:
    """Files by name, as the program sees them and as the disk's surface has them."""

    def __init__(self):
        self.names = {}
        self.durable = {}
        self.pending = collections.defaultdict(list)  # folder → changes of names since its last sync
        self.folders = set()

    def change(self, *change):
        self.apply(self.names, change)
        self.pending[str(pathlib.PurePath(change[-1]).parent)].append(change)

    @staticmethod
    def apply(names, change):
        kind, *rest = change
        if kind == "create":
            names[rest[1]] = rest[0]
        elif kind == "rename" and rest[0] in names:
            names[rest[1]] = names.pop(rest[0])
        elif kind == "remove":
            names.pop(rest[0], None)

    def sync_folder(self, folder):
        for change in self.pending.pop(folder, []):
            self.apply(self.durable, change)

    def after(self, fates, kept):
        """Names and contents after a power loss. `fates` chooses for each file, `kept` of each folder's changes."""
        names = dict(self.durable)
        for folder in sorted(self.pending):
            for change in kept(self.pending[folder]):
                self.apply(names, change)
        return {name: file.after(fates(name)) for name, file in sorted(names.items())}


def parse(log, root):
    """The calls on files below `root`, as a list of functions of a disk, each with a name."""
    descriptors = {}

    def text(quoted):
        return bytes.fromhex(quoted.replace("\\x", ""))

    lines, waiting = [], {}
    for line in log.read_text().splitlines():
        thread, rest = line.split(maxsplit=1)
        if rest.endswith("<unfinished ...>"):
            waiting[thread] = rest[:-len("<unfinished ...>")]
        elif resumed := re.match(r"<\.\.\. \w+ resumed>(.*)", rest):
            lines.append(waiting.pop(thread) + resumed[1])
        else:
            lines.append(rest)
    for line in lines:
        if not (match := re.match(r"(\w+)\((.*)\)\s+= (-?\d+)", line)):
            continue
        call, arguments, result = match[1], match[2], int(match[3])
        paths = [text(q).decode(errors="replace") for q in re.findall(r'"((?:\\x[0-9a-f]{2})*)"', arguments)]
        if call.endswith("at") or call == "renameat2":
            # names in an open folder
            starts = re.findall(r'(AT_FDCWD|\d+), "(?:\\x[0-9a-f]{2})*"', arguments)
            paths = [os.path.normpath(os.path.join(descriptors.get(int(start)) or "/outside", path))
                     if start != "AT_FDCWD" else path for start, path in zip(starts, paths)]
        first = re.match(r"(\d+)", arguments)
        number = int(first[1]) if first else None
        if result < 0:
            continue
        if call in ("open", "openat", "creat"):
            path = paths[0]
            inside = path == root or path.startswith(root + "/")
            descriptors[result] = path if inside else None
            if inside and ("O_CREAT" in arguments or "O_TRUNC" in arguments):
                yield call, ("open", path, "O_TRUNC" in arguments, result)
            elif inside:
                yield call, ("look", path, False, result)
        elif call == "close":
            descriptors.pop(number, None)
        elif call in ("mkdir", "mkdirat") and paths[0].startswith(root):
            yield call, ("mkdir", paths[0])
        elif call in ("rename", "renameat", "renameat2") and paths[0].startswith(root):
            yield call, ("rename", *paths[:2])
        elif call in ("unlink", "unlinkat") and paths[0].startswith(root):
            yield call, ("remove", paths[0])
        elif descriptors.get(number):
            if call == "pwrite64":
                numbers = [int(n) for n in re.findall(r", (\d+)", arguments[arguments.rindex('"'):])]
                yield call, ("write", number, text(re.search(r'"([^"]*)"', arguments)[1])[:result], numbers[1])
            elif call == "write":
                yield call, ("append", number, text(re.search(r'"([^"]*)"', arguments)[1])[:result])
            elif call == "ftruncate":
                yield call, ("truncate", number, int(arguments.split(",")[1]))
            elif call in ("fsync", "fdatasync"):
                yield call, ("sync", number)


def replay(operations, forgetful):
    """After each operation: the disk, and how many checkpoints were complete and begun by then."""
    disk, open_files, positions = Disk(), {}, {}
    complete = renamed = 0
    for call, (kind, *rest) in operations:
        if kind in ("open", "look"):
            path, cleared, number = rest
            if kind == "open" and path not in disk.names:
                disk.change("create", File(), path)
            open_files[number] = disk.names.get(path, path)
            positions[number] = 0
            if cleared and isinstance(open_files[number], File):
                open_files[number].truncate(0)
        elif kind == "mkdir":
            disk.folders.add(rest[0])
        elif kind == "rename":
            disk.change("rename", *rest)
            if rest[1].endswith("checkpoint/state.safetensors"):
                renamed += 1
        elif kind == "remove":
            disk.change("remove", rest[0])
        elif kind == "write":
            open_files[rest[0]].write(rest[2], rest[1])
        elif kind == "append":
            file = open_files[rest[0]]
            file.write(positions[rest[0]], rest[1])
            positions[rest[0]] += len(rest[1])
        elif kind == "truncate":
            open_files[rest[0]].truncate(rest[1])
        elif kind == "sync" and not forgetful:
            file = open_files[rest[0]]
            if isinstance(file, File):
                file.sync()
            else:
                disk.sync_folder(file)
                if file.endswith("/checkpoint"):
                    complete = renamed
        if forgetful and kind == "rename":
            complete = max(0, renamed - 1)
        yield disk, complete, renamed


def states(record, root, rng, wanted, forgetful):
    """Distinct disks after a power loss: every uniform choice at every moment, then random mixtures."""
    seen = set()

    def state(disk, complete, renamed, fates, kept):
        files = disk.after(fates, kept)
        key = hashlib.sha256(repr([(n, hashlib.sha256(c).digest()) for n, c in files.items()]).encode()).digest()
        if key in seen:
            return None
        seen.add(key)
        return files, complete, renamed

    choices = (lambda c: [], lambda c: c, lambda c: c[:len(c) // 2], lambda c: c[-1:], lambda c: c[:1])
    operations = list(parse(record, root))
    for disk, complete, renamed in replay(operations, forgetful):
        for fate in FATES:
            for kept in choices:
                if (made := state(disk, complete, renamed, lambda _: fate, kept)) is not None:
                    yield made
    while len(seen) < 2 * wanted:
        before = len(seen)
        for disk, complete, renamed in replay(operations, forgetful):
            for _ in range(4 if complete else 0):
                chosen = {}
                fates = lambda name: chosen.setdefault(name, rng.choice(FATES))
                kept = lambda changes: [change for change in changes if rng.random() < 0.5]
                if (made := state(disk, complete, renamed, fates, kept)) is not None:
                    yield made
        if len(seen) == before:
            return


def attempt(folder, files, root, complete, renamed, steps, expected):
    """Opens one state. What was wrong, or None, and what was found."""
    try:
        folder.mkdir(parents=True)
        (folder / "checkpoint").mkdir()
        for name, content in files.items():
            (folder / pathlib.PurePath(name).relative_to(root)).write_bytes(content)
        result = runs.run(["resume", folder], timeout=60)
        if complete == 0 and result.returncode != 0:
            lines = result.stderr.strip().splitlines()
            return (None, "not begun") if len(lines) == 1 and result.returncode < 128 else (result.stderr, "crashed")
        if result.returncode != 0:
            return result.stderr.strip(), "unreadable"
        step = int(re.search(r"at step ([\d,]+) of", result.stderr)[1].replace(",", ""))
        if step not in steps[max(0, complete - 1):renamed]:
            return f"step {step} with {complete} checkpoints complete and {renamed} begun", "lost"
        if runs.contents(folder) != expected:
            return "different bits or logs", "different"
        return None, "old" if complete and step == steps[complete - 1] else "new"
    except Exception as error:
        return repr(error), "failed"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--states", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--require", action="store_true")
    parser.add_argument("--unsynced", action="store_true")
    options = parser.parse_args()
    runs.need_strace(options.require)
    with tempfile.TemporaryDirectory(dir=runs.scratch()) as base:
        base = pathlib.Path(base)
        folder, log = base / "record", base / "strace.txt"
        result = runs.run(["train", "td3", "Pendulum-v1", *SETTINGS, "--run-directory", folder],
                          ["strace", "-f", "-qq", "-xx", "-s", "10000000", "-o", log, "-e", f"trace={CALLS}"])
        assert result.returncode == 0, result.stderr
        expected = runs.contents(folder)
        steps = [0, *range(15, 481, 15), 480]
        root = str(folder)
        everything = list(states(log, root, random.Random(options.seed), options.states, options.unsynced))
        rng = random.Random(options.seed)
        begun, early = [s for s in everything if s[1]], [s for s in everything if not s[1]]
        chosen = rng.sample(begun, min(len(begun), options.states)) + rng.sample(early, min(len(early), options.states // 4))
        outcomes, wrong = collections.Counter(), 0
        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            futures = [pool.submit(attempt, base / f"state-{n}", files, root, complete, renamed, steps, expected)
                       for n, (files, complete, renamed) in enumerate(chosen)]
            for future in concurrent.futures.as_completed(futures):
                problem, outcome = future.result()
                outcomes[outcome] += 1
                if problem:
                    wrong += 1
                    print(f"{outcome}: {problem}", flush=True)
        print(f"{len(chosen)} states after a power loss, of {len(everything)} made from a run with {len(steps)} "
              f"checkpoints: " + ", ".join(f"{n} open to the {name}" if name in ("old", "new") else f"{n} {name}" for name, n in sorted(outcomes.items())) + f"; {wrong} wrong")
    raise SystemExit(1 if wrong or not chosen else 0)


main()
