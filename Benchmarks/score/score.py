#!/usr/bin/env python3
"""score.py: minutes on two threads until a policy is good, for settings and learners side by side.

    Benchmarks/score/score.py train --work FOLDER --contenders sac,sac-quarter --environments HalfCheetah-v5 --seeds 0
    Benchmarks/score/score.py rates --work FOLDER        # on a quiet machine: what a step and an update cost
    Benchmarks/score/score.py peers --work FOLDER --log .deps/peers/results-….jsonl   # how much slower others are
    Benchmarks/score/score.py table --work FOLDER        # the table, in Markdown

A run reaches a bar with the first evaluation of 10 episodes whose mean is at or above it, if the evaluation after it has
at least 90 % of the bar. Where a bar is below 0 the second needs the bar less 10 % of its size. A run counts steps and
updates; minutes are these counts times what each costs alone on a quiet machine:

    minutes = (steps x (seconds of a step + seconds of acting) + updates x seconds of an update) / 60

so runs may share a machine with other work. Evaluations and checkpoints are left out of the minutes, for everybody alike.

Other programs are not trained here. Their SAC is assumed to take as many steps as ours; equal_steps.py compares the two in Pendulum-v1.
Their minutes are ours times how much faster we train in the same rounds of Benchmarks/peers/run.

`train` can be interrupted at any moment and called again: whole runs are left alone, begun ones go on with `resume`. Runs
stop by themselves when their last bar is reached or their steps are taken. Contenders are in contenders.json.
"""

import argparse
import csv
import json
import os
import pathlib
import signal
import statistics
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
PROGRAM = HERE.parent.parent / ".build/release/offpolicy"
CONTENDERS = json.loads((HERE / "contenders.json").read_text())

# bars, and the steps at which a run gives up
BARS = {
    "HalfCheetah-v5": ([6000, 10000], 1_000_000),
    "Hopper-v5": ([2500], 500_000),
    "Walker2d-v5": ([3000], 500_000),
    "Ant-v5": ([3500], 1_000_000),
    "Humanoid-v5": ([4000], 1_000_000),
    "Pendulum-v1": ([-200], 20_000),
}
EVALUATIONS = {"Pendulum-v1": 1000}  # steps between two; else 5,000
PLAIN = "sac"
PEERS = {"sbx": "SBX, SAC", "sb3": "Stable-Baselines3, SAC"}  # names of Benchmarks/peers/compare.py, and in the table
PEERS_WHAT = "P-cheetah"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in [("train", "train what is missing"), ("rates", "measure the costs of steps and updates"),
                       ("peers", "take the rates of other programs from a log of Benchmarks/peers/run"),
                       ("table", "print the table")]:
        command = commands.add_parser(name, help=text)
        command.add_argument("--work", type=pathlib.Path, required=True, help="folder of the runs and rates")
        command.add_argument("--contenders", default=",".join(CONTENDERS), help="names from contenders.json")
        command.add_argument("--environments", default=",".join(BARS), help="ids with a bar")
        command.add_argument("--seeds", default="0", help="such as 0,1,2")
        command.add_argument("--program", type=pathlib.Path, default=PROGRAM, help="the program of another build")
        if name == "peers":
            command.add_argument("--log", type=pathlib.Path, required=True, help="its results-….jsonl, with what P-cheetah")
        if name == "train":
            command.add_argument("--threads", type=int, default=1, help="of each run; they change no bit")
            command.add_argument("--steps", type=int, help="give up earlier than the bar's own limit")
            command.add_argument("--minutes", type=float, help="wall time after which a run is put aside, to go on later")
    arguments = parser.parse_args()
    arguments.contenders = checked(arguments.contenders, CONTENDERS, "contender")
    arguments.environments = checked(arguments.environments, BARS, "bar for the environment")
    arguments.seeds = [int(seed) for seed in arguments.seeds.split(",")]
    if arguments.command in ("train", "rates") and not arguments.program.exists():
        sys.exit(f"score.py: {arguments.program} is missing: run ./offpolicy --version once, which builds it")
    arguments.work.mkdir(parents=True, exist_ok=True)
    {"train": train, "rates": rates, "peers": peers, "table": table}[arguments.command](arguments)


def checked(text, known, what):
    for name in text.split(","):
        if name not in known:
            sys.exit(f"score.py: there is no {what} {name}; there are {', '.join(known)}")
    return text.split(",")


def settings(contender):
    return [part for text in CONTENDERS[contender].get("settings", []) for part in ("--set", text)]


def places(arguments):
    for environment in arguments.environments:
        for contender in arguments.contenders:
            for seed in arguments.seeds:
                yield environment, contender, seed, arguments.work / f"{environment}-{contender}-seed{seed}"


# ------------------------------------------------------------------------------------------------------------- runs


def train(arguments):
    for environment, contender, seed, folder in places(arguments):
        bars, limit = BARS[environment]
        limit = min(limit, arguments.steps or limit)
        if finished(folder, bars, limit):
            continue
        if (folder / "checkpoint").exists():
            command = ["resume", folder, "--threads", str(arguments.threads)]
        else:
            own = CONTENDERS[contender]
            command = ["train", own["algorithm"], environment, "--steps", str(limit), "--seed", str(seed), "--run-directory", folder,
                       "--evaluate-every", str(EVALUATIONS.get(environment, 5000)), "--evaluation-episodes", "10",
                       "--environments", str(own.get("environments", 1)), "--threads", str(arguments.threads),
                       # a contender is what contenders.json says: no preset may change it
                       "--preset", "none"]
            command += settings(contender)
        began = time.monotonic()
        print(f"{folder.name} …", file=sys.stderr, flush=True)
        log = folder.with_suffix(".log")  # a pipe that nobody reads would stop a long run
        with log.open("a") as messages:
            process = subprocess.Popen([arguments.program, *command], stderr=messages, stdout=subprocess.DEVNULL)
        try:
            while process.poll() is None:
                time.sleep(2)
                late = arguments.minutes and time.monotonic() - began > 60 * arguments.minutes
                if late or all(reached(evaluations(folder), bar) is not None for bar in bars):
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
    return bool(rows) and (rows[-1][0] >= limit or all(reached(rows, bar) is not None for bar in bars))


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


# ------------------------------------------------------------------------------------------------------------ costs


def rates(arguments):
    path = arguments.work / "rates.json"
    measured = json.loads(path.read_text()) if path.exists() else {}
    for environment in arguments.environments:
        entry = output(arguments.program, "list", environment, "--json")["environments"][0]
        # the better of three: other work on the machine only takes away
        speed = max(output(arguments.program, "environment", "speed", environment, "--json")["stepsPerSecond"]
                    for _ in range(3))
        measured[environment] = {"stepSeconds": 1 / speed}
        # contenders that differ in nothing that costs time are measured once, so that noise cannot part them
        for cost, contender in {cost_of(contender): contender for contender in arguments.contenders}.items():
            # "6 in [-1, 1]"
            sizes = ["--observations", str(entry["observationSize"]), "--actions", entry["actions"].split()[0]]
            runs = [
                output(arguments.program, "bench", "--algorithm", CONTENDERS[contender]["algorithm"], *sizes,
                       *bench_settings(contender), "--threads", "2", "--buffer", "200000", "--json")
                for _ in range(3)
            ]
            measured[f"{environment} {cost}"] = {
                "updateSeconds": min(run["medianMicroseconds"] for run in runs) / 1e6,
                "actingSeconds": min(run["actingMicroseconds"] for run in runs) / 1e6,
            }
            path.write_text(json.dumps(measured, indent=1) + "\n")
            print(environment, cost, measured[f"{environment} {cost}"], file=sys.stderr, flush=True)


def costly(contender):
    """The settings that change what an update costs: not its rates or its temperature, and not how often it happens."""
    return [text for text in CONTENDERS[contender].get("settings", [])
            if not text.startswith(("updatesPerStep=", "temperature.")) and "LearningRate=" not in text]


def cost_of(contender):
    return " ".join([CONTENDERS[contender]["algorithm"], *sorted(costly(contender))])


def bench_settings(contender):
    return [part for text in costly(contender) for part in ("--set", text)]


def output(program, *command):
    result = subprocess.run([program, *command], capture_output=True, text=True)
    if result.returncode:
        sys.exit(f"score.py: offpolicy {' '.join(command)}: {result.stderr.strip()}")
    return json.loads(result.stdout)


def peers(arguments):
    """Ours over theirs: the ratio of the medians of HalfCheetah-v5's steps per second on two threads, each with its update.

    Rounds in which other machines took time count, too: they slow all programs down.
    """
    rows = [json.loads(line) for line in arguments.log.read_text().splitlines()]
    rows = [row for row in rows if row["what"] == PEERS_WHAT and row["threads"] == 2 and row["rate"]]
    rates = {name: statistics.median(row["rate"] for row in rows if row["contender"] == name)
             for name in {row["contender"] for row in rows}}
    if missing := {"offpolicy", *PEERS} - set(rates):
        sys.exit(f"score.py: {arguments.log} has no {PEERS_WHAT} on two threads of {', '.join(sorted(missing))}")
    path = arguments.work / "rates.json"
    measured = json.loads(path.read_text()) if path.exists() else {}
    measured["peers"] = {name: rates["offpolicy"] / rates[name] for name in PEERS}
    path.write_text(json.dumps(measured, indent=1) + "\n")
    print(measured["peers"], file=sys.stderr)


# ------------------------------------------------------------------------------------------------------------ table


class Minutes:
    """The median of some runs' minutes; a lower bound where a run that counts was put aside before it reached the bar."""

    def __init__(self, runs):
        """Of each run its minutes until the bar, or until its last evaluation, and whether it reached the bar."""
        values = [minutes for minutes, _ in runs]
        self.value = statistics.median(values)
        self.is_bound = any(minutes <= statistics.median_high(values) and not reached for minutes, reached in runs)
        self.share = f"{sum(reached for _, reached in runs)} of {len(runs)}"

    def times(self, factor):
        return f"{'> ' if self.is_bound else ''}{self.value * factor:.1f}"


def table(arguments):
    path = arguments.work / "rates.json"
    if not path.exists():
        sys.exit("score.py: there are no rates: call `score.py rates` on a quiet machine first")
    costs = json.loads(path.read_text())
    runs = {}  # (environment, bar), contender: a pair for each seed, see `Minutes`
    for environment, contender, seed, folder in places(arguments):
        rows = evaluations(folder)
        if rows and f"{environment} {cost_of(contender)}" not in costs:
            sys.exit(f"score.py: there is no rate of {contender} in {environment}: `score.py rates` measures it")
        for bar in BARS[environment][0] if rows else []:
            step = reached(rows, bar)
            value = minutes(folder, rows[-1][0] if step is None else step, costs, environment, contender)
            runs.setdefault(((environment, bar), contender), []).append((value, step is not None))
    found = {place: Minutes(pairs) for place, pairs in runs.items()}
    bars = sorted({bar for bar, _ in found}, key=lambda bar: (list(BARS).index(bar[0]), bar[1]))
    print("| contender | " + " | ".join(f"{environment} {bar:,}" for environment, bar in bars) + " | ratio |")
    print("|---" * (len(bars) + 2) + "|")
    # others take as many steps as plain SAC, each of them slower
    for name, factor in costs.get("peers", {}).items() if PLAIN in arguments.contenders else ():
        cells = [found[bar, PLAIN].times(factor) if (bar, PLAIN) in found else "" for bar in bars]
        print(f"| {PEERS[name]} | " + " | ".join(cells) + f" | {1 / factor:.2f} |")
    for contender in arguments.contenders:
        own = [found.get((bar, contender)) for bar in bars]
        if not any(own):
            continue
        pairs = [(found[bar, PLAIN], it) for bar, it in zip(bars, own) if it and not it.is_bound and (bar, PLAIN) in found]
        ratio = ""
        if pairs:
            least = "≥ " if any(plain.is_bound for plain, _ in pairs) else ""
            ratio = f"{least}{statistics.geometric_mean(plain.value / it.value for plain, it in pairs):.2f} over {len(pairs)}"
        cells = [f"{it.times(1)} ({it.share})" if it else "" for it in own]
        print(f"| {contender} | " + " | ".join(cells) + f" | {ratio} |")
    print("\nMinutes on two threads, the median over seeds, and how many seeds reached the bar; > where runs were put aside before. "
          f"Ratio: the geometric mean of {PLAIN}'s minutes over the contender's, where the contender reached the bar.")


def minutes(folder, step, costs, environment, contender):
    run = json.loads((folder / "run.json").read_text())["run"]["configuration"]
    updates = max(0, step - run["randomSteps"]) * run.get("updatesPerStep", 1)
    own = costs[f"{environment} {cost_of(contender)}"]
    return (step * (costs[environment]["stepSeconds"] + own["actingSeconds"]) + updates * own["updateSeconds"]) / 60


if __name__ == "__main__":
    os.environ.pop("PYTHONPATH", None)
    main()
