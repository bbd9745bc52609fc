"""Runs of contenders: training them, and the evaluations in their folders."""

import csv
import json
import signal
import subprocess
import sys
import time

from contenders import BARS, EVALUATIONS, contender_of, flags


def folder_of(work, environment, contender, seed):
    return work / f"{environment.replace(':', '-')}-{contender}-seed{seed}"


def places(arguments):
    for environment in arguments.environments:
        for contender in arguments.contenders:
            for seed in arguments.seeds:
                yield environment, contender, seed, folder_of(arguments.work, environment, contender, seed)


def train(arguments):
    for environment, contender, seed, folder in places(arguments):
        bars, limit = BARS[environment]
        limit = min(limit, arguments.steps or limit)
        if finished(folder, bars, limit):
            continue
        if (folder / "checkpoint").exists():
            command = ["resume", folder, "--threads", str(arguments.threads)]
        else:
            own = contender_of(contender)
            command = ["train", own["algorithm"], environment, "--steps", str(limit), "--seed", str(seed), "--run-directory", folder,
                       "--evaluate-every", str(EVALUATIONS.get(environment, 5000)), "--evaluation-episodes", "10",
                       "--environments", str(own["environments"]), "--threads", str(arguments.threads),
                       # a contender is what contenders.json says: no preset may change it
                       "--preset", "none"]
            command += flags(own["settings"])
        began = time.monotonic()
        print(f"{folder.name} …", file=sys.stderr, flush=True)
        log = folder.parent / f"{folder.name}.log"  # a pipe that nobody reads would stop a long run
        with log.open("a") as messages:
            process = subprocess.Popen([arguments.program, *command], stderr=messages, stdout=subprocess.DEVNULL)
        try:
            while process.poll() is None:
                time.sleep(2)
                late = arguments.minutes and time.monotonic() - began > 60 * arguments.minutes
                if late or reached_all(evaluations(folder), bars):
                    process.send_signal(signal.SIGINT)  # it saves and ends
                    process.wait()
        except KeyboardInterrupt:
            process.send_signal(signal.SIGINT)
            process.wait()
            sys.exit(130)
        if process.returncode not in (0, 130):
            sys.exit(f"score.py: {folder.name} ended with {process.returncode}: {log.read_text().strip().splitlines()[-1]}")


def finished(folder, bars, limit):
    rows = evaluations(folder)
    return bool(rows) and (rows[-1][0] >= limit or reached_all(rows, bars))


def evaluations(folder):
    """(step, mean return) of each evaluation so far."""
    path = folder / "evaluations.csv"
    if not path.exists():
        return []
    with path.open() as file:
        return [(int(row["step"]), float(row["return_mean"])) for row in csv.DictReader(file) if row["seconds"]]


def reached(rows, bar):
    """The step of the first evaluation at the bar whose next one holds it; None where there is none."""
    held = bar - 0.1 * abs(bar)
    for (step, value), (_, following) in zip(rows, rows[1:]):
        if value >= bar and following >= held:
            return step
    return None


def reached_all(rows, bars):
    return all(reached(rows, bar) is not None for bar in bars)


def settings_of(folder):
    """The hyperparameters of a run, defaults included."""
    return json.loads((folder / "run.json").read_text())["run"]["configuration"]
