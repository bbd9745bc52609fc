#!/usr/bin/env python3
"""environments — the pictures of Guides/Environments.md and Guides/MuJoCo.md: one of each environment, by `offpolicy record --still`.

    Scripts/figures/environments.py                    trains what is missing in runs/pictures, a minute or two each, then draws
    Scripts/figures/environments.py --program PATH     another build of offpolicy
    Scripts/figures/environments.py --runs FOLDER      keeps the runs elsewhere

What is seen is the environment: most policies are hardly trained. Python 3, no packages.
"""

import argparse
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SMALL = ["--set", "hiddenSizes=64,64", "--set", "batchSize=128", "--threads", "1"]
# environment: algorithm, steps, the step that is drawn, further settings
PICTURES = {
    "Pendulum-v1": ("sac", 6000, 70, []),
    "CartPole-v1": ("dqn", 2000, 60, []),
    "Acrobot-v1": ("dqn", 15000, 55, []),
    "MountainCar-v0": ("dqn", 1500, 60, []),
    "MountainCarContinuous-v0": ("td3", 1500, 30, []),
    "MultiGoal-v0": ("sac", 6000, 3, []),
    "PointReach-v0": ("sac", 6000, 8, ["--set", "sampler=hindsight"]),
    "Ant-v5": ("td3", 1000, 30, []),
    "HalfCheetah-v5": ("sac", 1000, 30, []),
    "Hopper-v5": ("sac", 100000, 130, ["--set", "hiddenSizes=256,256", "--set", "batchSize=256"]),
    "Humanoid-v5": ("sac", 1000, 12, []),
    "HumanoidStandup-v5": ("td3", 1000, 60, []),
    "InvertedDoublePendulum-v5": ("sac", 8000, 4, []),
    "InvertedPendulum-v5": ("sac", 5000, 40, []),
    "Pusher-v5": ("sac", 1000, 20, []),
    "Reacher-v5": ("sac", 8000, 15, []),
    "Swimmer-v5": ("sac", 6000, 60, []),
    "Walker2d-v5": ("sac", 1000, 8, []),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", default=ROOT / "offpolicy")
    parser.add_argument("--runs", type=pathlib.Path, default=ROOT / "runs/pictures")
    arguments = parser.parse_args()
    for environment, (algorithm, steps, still, settings) in PICTURES.items():
        run = arguments.runs / environment
        if not run.exists():
            random = ["--set", f"randomSteps={min(1000, steps // 2)}", "--evaluate-every", str(max(500, steps // 5))]
            subprocess.run(
                [arguments.program, "train", algorithm, environment, "--steps", str(steps), "--run-directory", run]
                + SMALL + random + settings, check=True)
        out = ROOT / "Guides/Pictures/environments" / f"{environment}.png"
        out.parent.mkdir(exist_ok=True)
        subprocess.run(
            [arguments.program, "record", run, "--best", "--still", str(still), "--width", "320", "--height", "240",
             "--out", out], check=True)


if __name__ == "__main__":
    main()
