#!/usr/bin/env python3
"""Makes every system call on the files of a run fail, or kills the program at it, and looks at what is left.

    Tests/Faults/syscalls.py [--every N] [--require] [--jobs N]

A short run (train, four checkpoints) is recorded with strace, thread by thread. Then it is run once for each call and each
fault: SIGKILL; ENOSPC, EIO, EDQUOT, EINTR and EROFS at that call alone, and from it on; and for writes a short one, which
strace makes by writing nothing and saying 1, alone and from it on. After each the folder must be readable, and the run,
finished by `resume` where it did not finish by itself, must have the digest and the logs of the run without faults.
--every N takes each N-th case. Needs strace; without it the script says so, and fails only if --require is given.
"""

import argparse
import collections
import concurrent.futures
import pathlib
import re
import shutil
import tempfile

import runs

ERRORS = ("ENOSPC", "EIO", "EDQUOT", "EINTR", "EROFS")
# a failure of these must be told; others, such as close, have nothing that could be lost
TOLD = {"openat", "open", "pwrite64", "fsync", "rename", "ftruncate", "mkdir", "write"}
SETTINGS = runs.settings(steps=60, evaluate=30, checkpoint=25)


def watched(folder):
    """The paths whose calls count. Those of the lock and of libraries do not."""
    names = ["", "run.json", "run.json.new", *runs.LOGS, "policy.safetensors", "policy.safetensors.new",
             "policy-best.safetensors", "policy-best.safetensors.new", "checkpoint", "checkpoint/state.safetensors",
             "checkpoint/state.safetensors.new", "checkpoint/state-previous.safetensors",
             "checkpoint/replay-00000000.frames"]
    return [option for name in names for option in ("-P", str(folder / name).rstrip("/"))]


def record(base):
    """For each system call the most often that one thread made it."""
    folder, log = base / "record", base / "strace.txt"
    result = runs.run(["train", "sac", "Pendulum-v1", *SETTINGS, "--run-directory", folder],
                      ["strace", "-f", "-qq", "-o", log, "-e", "trace=%file,%desc", *watched(folder)])
    assert result.returncode == 0, result.stderr
    threads = collections.Counter()
    for line in log.read_text().splitlines():
        if match := re.match(r"(\d+) +(\w+)\(", line):
            threads[match.groups()] += 1
    most = collections.Counter()
    for (_, call), count in threads.items():
        most[call] = max(most[call], count)
    return runs.contents(folder), most, sum(threads.values())


def cases(most):
    for call, count in sorted(most.items()):
        for n in range(1, count + 1):
            yield call, f"signal=SIGKILL:when={n}"
            for error in ERRORS:
                yield call, f"error={error}:when={n}"
                yield call, f"error={error}:when={n}+"
            if call in ("pwrite64", "write"):
                yield call, f"retval=1:when={n}"
                yield call, f"retval=1:when={n}+"


def attempt(base, number, call, fault, expected, tries=5):
    """One run with one fault. A list of what was wrong, and what became of the run."""
    folder, log = base / f"run-{number}", base / f"strace-{number}.txt"
    train = ["train", "sac", "Pendulum-v1", *SETTINGS, "--run-directory", folder]
    wrong = []
    try:
        first = runs.run(train, ["strace", "-f", "-qq", "-o", log, "-e", f"trace={call}", "-e",
                                 f"inject={call}:{fault}", *watched(folder)], timeout=60)
        if first.returncode == 0 and "INJECTED" not in log.read_text():
            # the system gave the saves to other threads than when it was recorded: none made so many calls
            return attempt(base, number, call, fault, expected, tries - 1) if tries else ([], "not reached", (call, fault))
        outcome = "finished" if first.returncode == 0 else "stopped"
        crash = first.returncode < 0 or first.returncode >= 128
        if crash and not fault.startswith("signal"):
            wrong.append(f"crashed with {first.returncode}: {first.stderr[-300:]}")
        told = "could not be saved" in first.stderr or "cannot be" in first.stderr or first.stderr.startswith("Error")
        # an interrupted call is made again; what is short is made up for or told
        if call in TOLD and fault.startswith("error") and "EINTR:when" not in fault and not told:
            outcome += " untold"
        if first.returncode != 0:
            if runs.has_checkpoint(folder):
                second = runs.run(["resume", folder], timeout=60)
                if second.returncode != 0:
                    wrong.append(f"unreadable: {second.stderr.strip()}")
            else:
                # nothing was begun: the program says so, and a new run begins
                outcome = "not begun"
                refusal = runs.run(["resume", folder], timeout=60)
                if refusal.returncode == 0 or len(refusal.stderr.strip().splitlines()) != 1:
                    wrong.append(f"a run without a checkpoint: {refusal.returncode} {refusal.stderr.strip()}")
                shutil.rmtree(folder, ignore_errors=True)
                runs.run(train, timeout=60)
        if not wrong and runs.contents(folder) != expected:
            wrong.append("different bits or logs")
    except Exception as error:  # a hang, or a folder that cannot be inspected
        wrong.append(repr(error))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        log.unlink(missing_ok=True)
    return [f"{call}:{fault}: {text}" for text in wrong], outcome if not wrong else "wrong", (call, fault)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--require", action="store_true")
    options = parser.parse_args()
    runs.need_strace(options.require)
    with tempfile.TemporaryDirectory(dir=runs.scratch()) as base:
        base = pathlib.Path(base)
        expected, most, calls = record(base)
        chosen = list(cases(most))[::options.every]
        outcomes, wrong, untold = collections.Counter(), [], collections.Counter()
        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            futures = [pool.submit(attempt, base, n, *case, expected) for n, case in enumerate(chosen)]
            for future in concurrent.futures.as_completed(futures):
                problems, outcome, case = future.result()
                outcomes[outcome] += 1
                if "untold" in outcome:
                    untold[" ".join(case)] += 1
                for problem in problems:
                    print(problem, flush=True)
                wrong += problems
        print(f"{calls} system calls of a run with 4 checkpoints ({', '.join(sorted(most))}), {len(chosen)} faults: "
              + ", ".join(f"{count} {name}" for name, count in sorted(outcomes.items()))
              + f"; {len(wrong)} wrong")
        if untold:
            print("without effect, so that nothing was told: " + "; ".join(sorted(untold)))
    raise SystemExit(1 if wrong or not chosen else 0)


main()
