#!/usr/bin/env python3
"""score.py: minutes on two threads until a policy is good, for settings and learners side by side.

    Benchmarks/score/score.py table                      # the table of the kept results, in Markdown
    Benchmarks/score/score.py train --work FOLDER --contenders sac,sac-quarter --environments HalfCheetah-v5 --seeds 0
    Benchmarks/score/score.py rates --work FOLDER        # on a quiet machine: what a step and an update cost
    Benchmarks/score/score.py peers --work FOLDER --log .deps/peers/results-….jsonl   # how much slower others are
    Benchmarks/score/score.py keep --work FOLDER --seeds 0,1,2 --into FOLDER           # its runs, for table

A run reaches a bar with the first evaluation of 10 episodes whose mean is at or above it, if the evaluation after it has
at least 90 % of the bar. Where a bar is below 0 the second needs the bar less 10 % of its size. A run counts steps and
updates; minutes are these counts times what each costs alone on a quiet machine:

    minutes = (steps x (seconds of a step + seconds of acting) + updates x seconds of an update) / 60

so runs may share a machine with other work. Evaluations and checkpoints are left out of the minutes, for everybody alike.

Other programs are not trained here. Their SAC is assumed to take as many steps as ours; equal_steps.py compares the two.
Their minutes are ours times how much faster we train in the same rounds of Benchmarks/peers/run.

`train` can be interrupted at any moment and called again: whole runs are left alone, begun ones go on with `resume`. Runs
stop by themselves when their last bar is reached or their steps are taken. Contenders are in contenders.json.
"""

import argparse
import os
import pathlib
import sys

import costs
import runs
import table
from contenders import BARS, CONTENDERS, HERE

PROGRAM = HERE.parent.parent / ".build/release/offpolicy"
COMMANDS = {
    "table": (table.table, "print the table of kept results"),
    "train": (runs.train, "train what is missing"),
    "rates": (costs.rates, "measure the costs of steps and updates that are not yet known"),
    "peers": (costs.peers, "take the rates of other programs from a log of Benchmarks/peers/run"),
    "keep": (table.keep, "put runs and rates among the kept ones, which table reads"),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    for name, (_, text) in COMMANDS.items():
        command = commands.add_parser(name, help=text)
        if name == "table":
            command.add_argument("--results", type=pathlib.Path, default=HERE, help="folder of results.csv and rates.json")
            continue
        command.add_argument("--work", type=pathlib.Path, required=True, help="folder of the runs and rates")
        if name == "peers":
            command.add_argument("--log", type=pathlib.Path, required=True, help="its results-….jsonl, with what P-cheetah")
            continue
        command.add_argument("--contenders", default=",".join(CONTENDERS), help="names from contenders.json")
        command.add_argument("--environments", default=",".join(BARS), help="ids with a bar")
        if name == "rates":
            command.add_argument("--again", action="store_true", help="also those that are known")
        else:
            command.add_argument("--seeds", default="0", required=name == "keep", help="such as 0,1,2")
        if name == "keep":
            command.add_argument("--into", type=pathlib.Path, default=HERE, help="folder of the two files")
        else:
            command.add_argument("--program", type=pathlib.Path, default=PROGRAM, help="the program of another build")
        if name == "train":
            command.add_argument("--threads", type=int, default=1, help="of each run; they change no bit")
            command.add_argument("--steps", type=int, help="give up earlier than the bar's own limit")
            command.add_argument("--minutes", type=float, help="wall time after which a run is put aside, to go on later")
    arguments = parser.parse_args()
    if "contenders" in arguments:
        arguments.contenders = checked(arguments.contenders, CONTENDERS, "contender")
        arguments.environments = checked(arguments.environments, BARS, "bar for the environment")
    if "seeds" in arguments:
        arguments.seeds = [int(seed) for seed in arguments.seeds.split(",")]
    if "program" in arguments and not arguments.program.exists():
        sys.exit(f"score.py: {arguments.program} is missing: run ./offpolicy --version once, which builds it")
    if "work" in arguments:
        arguments.work.mkdir(parents=True, exist_ok=True)
    COMMANDS[arguments.command][0](arguments)


def checked(text, known, what):
    for name in text.split(","):
        if name not in known:
            sys.exit(f"score.py: there is no {what} {name}; there are {', '.join(known)}")
    return text.split(",")


if __name__ == "__main__":
    os.environ.pop("PYTHONPATH", None)
    main()
