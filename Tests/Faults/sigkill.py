#!/usr/bin/env python3
"""Kills training at random moments, resumes it, and compares with the run that was never interrupted.

    Tests/Faults/sigkill.py [--kills N] [--seed S] [--task ID]... [--kind NAME]... [--binary PATH]

Each series takes one kind of run to its last step through as many SIGKILLs as come, in turn on one thread and on
two, with evaluations and a checkpoint every 25 steps, then
compares the digest of all learned parameters and the logs (but for their seconds) with those of one uninterrupted run.
Ends with the number of kills, of lost runs and of runs that differ; exit code 1 unless both are 0.
"""

import argparse
import collections
import json
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]

SETTINGS = ["--set", "hiddenSizes=32,32", "--set", "batchSize=32", "--steps", "3000",
            "--evaluate-every", "500", "--evaluation-episodes", "1", "--checkpoint-every", "25"]
RANDOM = ["--set", "randomSteps=100"]
# what a run learns from, and with; DATA is a file that is made at the start, TASK one of --task
KINDS = {
    "sac": ["sac", "TASK", *RANDOM],
    "td3": ["td3", "TASK", *RANDOM],
    "ddpg": ["ddpg", "TASK", *RANDOM],
    "environments": ["sac", "TASK", *RANDOM, "--environments", "3", "--set", "nSteps=3"],
    "prioritised": ["td3", "TASK", *RANDOM, "--set", "sampler=prioritised"],
    "hindsight": ["sac", "PointReach-v0", *RANDOM, "--set", "sampler.hindsight.goals=4"],
    "wrapped": ["td3", "TASK", *RANDOM, "--set", "bufferCapacity=700"],
    "normalised": ["sac", "TASK", *RANDOM, "--set", "normalizeObservations=true", "--set", "scaleRewards=true"],
    "tqc": ["tqc", "TASK", *RANDOM],
    "redq": ["redq", "TASK", *RANDOM, "--set", "updatesPerStep=2"],
    "crossq": ["crossq", "TASK", *RANDOM],
    "xqc": ["xqc", "TASK", *RANDOM],
    "dqn": ["dqn", "CartPole-v1", *RANDOM],
    "sac-discrete": ["sac-discrete", "CartPole-v1", *RANDOM, "--set", "sampler=prioritised"],
    "data": ["td3-bc", "Pendulum-v1", "--dataset", "DATA"],
}
BINARY = None


def timeless(log):
    """The rows of a log without their seconds."""
    rows = [row.split(",") for row in log.splitlines()]
    column = rows[0].index("seconds")
    return [row[:column] + row[column + 1:] for row in rows]


def contents(folder):
    report = json.loads(subprocess.run([BINARY, "inspect", folder, "--json"], check=True, capture_output=True).stdout)
    # a run on data has no episodes
    logs = {name: timeless((folder / name).read_text()) for name in ("episodes.csv", "metrics.csv", "evaluations.csv", "health.csv")
            if (folder / name).exists()}
    return report["digest"], report["step"], logs


def main():
    global BINARY
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--task", action="append")
    parser.add_argument("--kind", action="append", choices=list(KINDS))
    parser.add_argument("--binary", type=pathlib.Path, default=ROOT / ".build/release/offpolicy")
    options = parser.parse_args()
    BINARY, tasks = options.binary.resolve(), options.task or ["Pendulum-v1"]
    kinds, killed = options.kind or list(KINDS), collections.Counter()
    rng = random.Random(options.seed)
    kills = lost = different = series = 0
    with tempfile.TemporaryDirectory() as base:
        base = pathlib.Path(base)
        data = base / "data.npz"
        subprocess.run([BINARY, "collect", "random", "Pendulum-v1", "--steps", "2000", "--out", data], check=True,
                       capture_output=True)
        whole = {}
        while kills < options.kills:
            kind = kinds[series % len(kinds)]
            task = tasks[series // len(kinds) % len(tasks)]
            words = [{"TASK": task, "DATA": data}.get(word, word) for word in KINDS[kind]]
            train = [BINARY, "train", *words, *SETTINGS]
            if (kind, task) not in whole:
                folder = base / f"whole-{kind}-{task}"
                start = time.monotonic()
                try:
                    subprocess.run([*train, "--threads", "1", "--run-directory", folder], check=True, capture_output=True,
                                   text=True)
                except subprocess.CalledProcessError as error:
                    sys.exit(f"{kind}: the run that is not interrupted fails: {error.stderr.strip()}")
                whole[kind, task] = (contents(folder), time.monotonic() - start)
            expected, duration = whole[kind, task]
            folder = base / f"series-{series}"
            command = [*train, "--threads", "1", "--run-directory", folder]
            attempt = 0
            while True:
                process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
                try:
                    # short pieces, so that a run takes several kills
                    _, errors = process.communicate(timeout=rng.uniform(0, duration / 3))
                except subprocess.TimeoutExpired:
                    process.send_signal(signal.SIGKILL)
                    process.communicate()
                    kills += 1
                    attempt += 1
                    killed[kind] += 1
                    if not (folder / "checkpoint/state.safetensors").exists() and \
                            not (folder / "checkpoint/state-previous.safetensors").exists():
                        # killed before the first step was taken: nothing to lose yet
                        shutil.rmtree(folder, ignore_errors=True)
                        continue
                    command = [BINARY, "resume", folder, "--threads", str(1 + attempt % 2)]
                    continue
                if process.returncode != 0:
                    print(f"lost: {kind} on {task} after {attempt} kills: {errors.strip()}")
                    lost += 1
                elif contents(folder) != expected:
                    print(f"different: {kind} on {task} after {attempt} kills")
                    different += 1
                break
            shutil.rmtree(folder, ignore_errors=True)
            series += 1
    each = ", ".join(f"{kind} {count}" for kind, count in killed.items())
    print(f"{kills} kills over {series} runs ({each}) of {', '.join(tasks)}: {lost} lost, {different} different")
    sys.exit(1 if lost or different else 0)


main()
