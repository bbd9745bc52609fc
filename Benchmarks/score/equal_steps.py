#!/usr/bin/env python3
"""equal_steps.py: does Stable-Baselines3's SAC need as many steps as ours? Steps to score.py's first bar, a few seeds each.

    Benchmarks/peers/run --quick   # once: makes .deps/peers, which has Stable-Baselines3
    .deps/peers/bin/python Benchmarks/score/equal_steps.py --work FOLDER --seeds 0,1,2

Both have the same settings: ours as published, and theirs by default but for `learning_starts`, which is our number of random
steps. The evaluations are score.py's: 10 episodes after every 1,000 steps in Pendulum-v1, elsewhere after every 5,000.
"""

import argparse
import math
import pathlib
import statistics
import subprocess
import sys

import gymnasium
import stable_baselines3
import torch
from stable_baselines3.common.evaluation import evaluate_policy

import runs
from contenders import BARS, EVALUATIONS, HERE, PLAIN


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=pathlib.Path, required=True, help="folder of our runs")
    parser.add_argument("--environment", default="Pendulum-v1", choices=list(BARS))
    parser.add_argument("--seeds", default="0,1,2")
    arguments = parser.parse_args()
    torch.set_num_threads(1)  # the networks are small
    train = [sys.executable, HERE / "score.py", "train", "--work", arguments.work, "--contenders", PLAIN]
    subprocess.run([*train, "--environments", arguments.environment, "--seeds", arguments.seeds], check=True)
    (bar, *_), limit = BARS[arguments.environment]
    steps = {"ours": [], "Stable-Baselines3": []}
    for seed in map(int, arguments.seeds.split(",")):
        folder = runs.folder_of(arguments.work, arguments.environment, PLAIN, seed)
        steps["ours"].append(runs.reached(runs.evaluations(folder), bar))
        rows = evaluations(arguments.environment, seed, runs.settings_of(folder)["randomSteps"], bar, limit)
        steps["Stable-Baselines3"].append(runs.reached(rows, bar))
    for name, values in steps.items():
        middle = statistics.median_high(math.inf if value is None else value for value in values)
        print(f"{name}: {bar} after {values} steps, median {middle:,}")


def evaluations(environment, seed, random_steps, bar, limit):
    """(step, mean return) of Stable-Baselines3's SAC, until the bar is reached and held."""
    name = environment.removeprefix("gym:")
    model = stable_baselines3.SAC(
        "MlpPolicy", gymnasium.make(name), learning_starts=random_steps, seed=seed, device="cpu")
    aside = gymnasium.make(name)
    aside.reset(seed=1_000 + seed)
    rows = []
    between = EVALUATIONS.get(environment, 5000)
    for step in range(between, limit + 1, between):
        model.learn(between, reset_num_timesteps=False)
        value, _ = evaluate_policy(model, aside, n_eval_episodes=10, warn=False)
        rows.append((step, float(value)))
        print(f"Stable-Baselines3, seed {seed}, step {step:,}: {value:.1f}", file=sys.stderr, flush=True)
        if runs.reached(rows, bar) is not None:
            break
    return rows


if __name__ == "__main__":
    main()
