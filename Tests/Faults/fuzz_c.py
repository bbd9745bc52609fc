#!/usr/bin/env python3
"""Calls the C functions at random: handles, nulls, lengths, JSON, bytes, numbers. None may end the process.

    Tests/Faults/fuzz_c.py [--calls N] [--seed S] [--library PATH]

Calls are made in child processes of 20,000 each, every fourth with two threads on the same handles. A child writes down
each call before it makes it, so that the one that killed it, or that takes longer than a minute, can be named. Buffers
are as long as the counts beside them say, the one thing that callers promise; counts are also negative, too large, and
so large that a product overflows. Each call must return -1 and leave one line of text, or a number of at least 0.
Ends with the number of calls, of crashes and of broken promises; exit code 1 unless both are 0. Needs Python alone.
"""

import argparse
import ctypes
import json
import mmap
import os
import pathlib
import random
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time

from random_calls import SLOT, Caller

ROOT = pathlib.Path(__file__).resolve().parents[2]
LIBRARY = ROOT / ".build/python/liboffpolicy.so"
BATCH = 20_000
GOAL = ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_void_p] * 2, ctypes.c_int64, *[ctypes.c_void_p] * 2)


def load(path):
    library = ctypes.CDLL(str(path))
    pointer, whole, real = ctypes.c_void_p, ctypes.c_int64, ctypes.c_double
    real_arguments = {
        "observe": [whole, whole, real, whole, whole, pointer, whole],
        "run": [whole, whole, real],
        "set": [whole, pointer, whole, real],
        "get": [whole, pointer, whole, pointer],
        "act": [whole, pointer, whole],
        "replace_actions": [whole, pointer, whole],
        "begin": [whole, whole, pointer, whole],
        "observe_all": [whole] + [pointer] * 4 + [whole],
        "round": [whole] + [pointer] * 4 + [whole, pointer, whole],
        "add_transitions": [whole] * 3 + [pointer] * 5,
        "last_round": [whole] + [pointer] * 4,
        "counts": [whole, pointer, whole],
        "predict": [whole, pointer, whole, whole, pointer],
        "values": [whole, pointer, pointer, whole, pointer],
        "set_goal_function": [whole, pointer],
        "set_normalization": [whole, pointer, pointer, pointer, whole, real, real],
        "environment_reset": [whole, whole, pointer, whole],
        "abandon": [whole, whole],
        "update": [whole, whole],
        "environment_step": [whole, pointer, whole, pointer, whole, pointer, pointer],
    }
    for name in ("error", "result", "learner_make", "environment_make", "policy_open"):
        real_arguments[name] = [pointer, whole]
    for name in ("restore", "restore_replay", "set_parameters", "environment_restore"):
        real_arguments[name] = [whole, pointer, whole]
    for name in ("version", "describe"):
        real_arguments[name] = []
    for name in (
        "close",
        "learn",
        "metrics",
        "records",
        "state",
        "replay",
        "transitions",
        "parameters",
        "policy",
        "digest",
        "environment_state",
    ):
        real_arguments[name] = [whole]
    for name, arguments in real_arguments.items():
        function = getattr(library, "offpolicy_" + name)
        function.argtypes, function.restype = arguments, whole
    return library


def child(options):
    """Makes one batch of calls."""
    with open(options.slots, "r+b") as file:
        slots = mmap.mmap(file.fileno(), 0)
    library = load(options.library)
    length = library.offpolicy_describe()
    content = ctypes.create_string_buffer(length)
    library.offpolicy_result(ctypes.addressof(content), length)
    described = json.loads(content.raw[:length])
    rng = random.Random(options.seed)

    def goal(achieved, desired, rows, rewards, terminated):
        kind = rng.random()
        size = min(rows, 10_000)
        if kind < 0.9:
            ctypes.memset(rewards, 0, 4 * size)
            ctypes.memset(terminated, rng.choice([0, 1, 2, 255]), size)
        elif kind < 0.95:
            ctypes.memset(rewards, 0xFF, 4 * size)
        return 0 if kind < 0.98 else rng.choice([1, -1])

    kept = GOAL(goal)
    shared = {
        "handles": {"learner": [], "environment": [], "policy": []},
        "without": options.without.split(","),
        "goal": ctypes.cast(kept, ctypes.c_void_p).value,
        "files": {name: [] for name in ("state", "replay", "parameters", "policy", "environment_state", "transitions")},
        "algorithms": [
            (a["name"], a["actions"] == "discrete", [(h["name"], h["default"]) for h in a["hyperparameters"]])
            for a in described["algorithms"]
        ],
        # MuJoCo's need its library
        "ids": [e["id"] for e in described["environments"] if not e["id"].endswith(("-v4", "-v5"))] + ["No-v0"],
    }

    threads = 2 if options.seed % 4 == 3 else 1
    callers = [
        Caller(library, 2 * options.seed + i, memoryview(slots)[i * SLOT : (i + 1) * SLOT], shared)
        for i in range(threads)
    ]

    def work(caller):
        while caller.calls < options.calls // threads:
            caller.one()

    workers = [threading.Thread(target=work, args=(caller,)) for caller in callers[1:]]
    for worker in workers:
        worker.start()
    work(callers[0])
    for worker in workers:
        worker.join()
    broken = [text for caller in callers for text in caller.broken]
    print(
        json.dumps({"calls": sum(caller.calls for caller in callers), "broken": broken[:5], "count": len(broken)}),
        flush=True,
    )
    os._exit(0)


def last_calls(slots):
    result = []
    for at in range(0, len(slots), SLOT):
        number, length = struct.unpack("<qq", slots[at : at + 16])
        if number:
            text = bytes(slots[at + 16 : at + 16 + length]).decode(errors="replace")
            result.append(f"call {number}: {text[:3000]}")
    return result


def watch(process, slots):
    """Waits for a child; ends one whose call takes longer than a minute. Returns what went wrong, or None."""
    before, since = None, time.monotonic()
    while process.poll() is None:
        time.sleep(0.1)
        numbers = [slots[at : at + 8] for at in range(0, len(slots), SLOT)]
        if numbers != before:
            before, since = numbers, time.monotonic()
        elif time.monotonic() - since > 60:
            process.kill()
            process.wait()
            return "a call took longer than a minute"
    code = process.returncode
    return None if code == 0 else f"ended by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--calls", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--library", type=pathlib.Path, default=LIBRARY)
    parser.add_argument(
        "--without", default="", help="functions that are not called, to look behind a crash: restore,observe"
    )
    parser.add_argument("--slots", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.slots:
        child(options)
    done = crashes = broken = 0
    seed = options.seed
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "slots")
        while done < options.calls:
            with open(path, "w+b") as file:
                file.truncate(2 * SLOT)
                slots = mmap.mmap(file.fileno(), 0)
            count = min(BATCH, options.calls - done)
            command = [
                sys.executable,
                __file__,
                "--seed",
                str(seed),
                "--calls",
                str(count),
                "--slots",
                path,
                "--library",
                str(options.library.resolve()),
                "--without",
                options.without,
            ]
            with open(os.path.join(folder, "errors"), "w+b") as errors:
                process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors)
                problem = watch(process, slots)
                output = process.stdout.read()
                errors.seek(0)
                tail = errors.read()[-2000:].decode(errors="replace")
            if problem is None:
                report = json.loads(output)
                done += report["calls"]
                broken += report["count"]
                for text in report["broken"]:
                    print(f"seed {seed}: {text}", flush=True)
            else:
                done += sum(struct.unpack("<q", slots[at : at + 8])[0] for at in range(0, len(slots), SLOT))
                crashes += 1
                print(f"seed {seed}: {problem}\n  " + "\n  ".join(last_calls(slots)) + f"\n{tail}", flush=True)
                if crashes >= 10:
                    break
            seed += 1
    print(f"{done} calls, {crashes} crashes, {broken} broken promises")
    sys.exit(1 if crashes or broken else 0)


if __name__ == "__main__":
    main()
