#!/usr/bin/env python3
"""Kills training at random moments, resumes it, and compares with the run that was never interrupted.

    Tests/Faults/sigkill.py [--kills N] [--seed S] [--task ID]... [--binary PATH]

Each series runs one algorithm on one task to its last step through as many SIGKILLs as come, in turn on one thread and on
two, with evaluations and a checkpoint every 25 steps, then
compares the digest of all learned parameters and the logs (but for their seconds) with those of one uninterrupted run.
Ends with the number of kills, of lost runs and of runs that differ; exit code 1 unless both are 0.
"""

import argparse
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

SETTINGS = ["--set", "hiddenSizes=32,32", "--set", "batchSize=32", "--set", "randomSteps=100", "--steps", "3000",
            "--evaluate-every", "500", "--evaluation-episodes", "1", "--checkpoint-every", "25"]
BINARY = None


def contents(folder):
    report = json.loads(subprocess.run([BINARY, "inspect", folder, "--json"], check=True, capture_output=True).stdout)
    logs = {name: [row.rsplit(",", 1)[0] for row in (folder / name).read_text().splitlines()]
            for name in ("episodes.csv", "metrics.csv", "evaluations.csv", "health.csv")}
    return report["digest"], report["step"], logs


def main():
    global BINARY
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--task", action="append")
    parser.add_argument("--binary", type=pathlib.Path, default=ROOT / ".build/release/offpolicy")
    options = parser.parse_args()
    BINARY, tasks = options.binary.resolve(), options.task or ["Pendulum-v1"]
    rng = random.Random(options.seed)
    kills = lost = different = series = 0
    with tempfile.TemporaryDirectory() as base:
        base = pathlib.Path(base)
        whole = {}
        while kills < options.kills:
            algorithm = ("sac", "td3", "ddpg")[series % 3]
            task = tasks[series // 3 % len(tasks)]
            train = [BINARY, "train", algorithm, task, *SETTINGS]
            if (algorithm, task) not in whole:
                folder = base / f"whole-{algorithm}-{task}"
                start = time.monotonic()
                subprocess.run([*train, "--threads", "1", "--run-directory", folder], check=True, capture_output=True)
                whole[algorithm, task] = (contents(folder), time.monotonic() - start)
            expected, duration = whole[algorithm, task]
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
                    if not (folder / "checkpoint/state.safetensors").exists() and \
                            not (folder / "checkpoint/state-previous.safetensors").exists():
                        # killed before the first step was taken: nothing to lose yet
                        shutil.rmtree(folder, ignore_errors=True)
                        continue
                    command = [BINARY, "resume", folder, "--threads", str(1 + attempt % 2)]
                    continue
                if process.returncode != 0:
                    print(f"lost: {algorithm} on {task} after {attempt} kills: {errors.strip()}")
                    lost += 1
                elif contents(folder) != expected:
                    print(f"different: {algorithm} on {task} after {attempt} kills")
                    different += 1
                break
            shutil.rmtree(folder, ignore_errors=True)
            series += 1
    print(f"{kills} kills over {series} runs of {', '.join(tasks)}: {lost} lost, {different} different")
    sys.exit(1 if lost or different else 0)


main()
