#!/usr/bin/env python3
"""check-sb3.py — opens what `offpolicy export --format sb3` and `sb3-logs` write with Stable-Baselines3 itself.

    Scripts/check-sb3.py                   trains small runs of SAC, TD3, DDPG and DQN, exports and opens them
    Scripts/check-sb3.py --policy RUN …    opens the exports of these runs instead
    Scripts/check-sb3.py --python PATH     uses a Python that has Stable-Baselines3, such as .venv-peers/bin/python

A model is loaded with its environment, so that their spaces must be the same; its actions are held against the policy file's
equations in float64, to 1e-6 times the greatest bound; and it learns on for some steps. Logs are read by load_results, ts2xy, numpy.load
and pandas.read_csv, as the plots of Stable-Baselines3 and of its zoo do, and held against the run's own CSV files. Where there is no
Stable-Baselines3 it says so and exits with 3.
"""

import argparse
import csv
import json
import pathlib
import runpy
import subprocess
import sys
import tempfile
import warnings

ROOT = pathlib.Path(__file__).resolve().parent.parent
RUNS = [
    ("sac", "Pendulum-v1", ["hiddenSizes=64,48"]),
    ("sac", "MountainCarContinuous-v0", ["hiddenSizes=24,24", "policyActivation=tanh", "criticActivation=tanh", "temperature=0.2"]),
    ("td3", "Pendulum-v1", ["policyHiddenSizes=33,20", "criticHiddenSizes=16,16,8"]),
    ("ddpg", "Pendulum-v1", [
        "hiddenSizes=32", 'explorationNoise.ornsteinUhlenbeck={"standardDeviation":0.2,"stiffness":0.15,"timestep":0.01}']),
    ("dqn", "CartPole-v1", ["hiddenSizes=64,64"]),
]


def run(*command):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"check-sb3.py: {' '.join(map(str, command))[:200]} failed:\n{done.stdout[-2000:]}{done.stderr[-4000:]}")
    return done.stdout


def rows(path):
    with open(path) as file:
        return list(csv.DictReader(file))


def check_model(run, path, policy):
    import gymnasium
    import numpy as np
    import stable_baselines3 as sb3
    import torch

    reference = runpy.run_path(str(ROOT / "Scripts/check-exports.py"), run_name="module")["Reference"](policy)
    described = json.loads((run / "run.json").read_text())["run"]
    environment = gymnasium.make(described["environment"])
    model = getattr(sb3, described["algorithm"].upper()).load(path, env=environment, device="cpu")
    space = environment.observation_space
    generator = np.random.default_rng(1)
    s = np.clip(generator.normal(0, 3, (400, *space.shape)), space.low, space.high).astype(np.float32)
    actions = model.predict(s, deterministic=True)[0]
    result = reference.compare("Stable-Baselines3", actions, s, None, 1e-6)
    steps = model.num_timesteps
    torch.set_num_threads(1)  # on busy processors its threads wait for each other, hundreds of times as long
    model.learn(300, reset_num_timesteps=False)
    assert model.num_timesteps >= steps + 300, "it did not learn on"
    print(f"  {path.name}: {result}; learned on from step {steps}")


def check_logs(run, logs):
    import numpy as np
    import pandas
    from stable_baselines3.common.monitor import load_results
    from stable_baselines3.common.results_plotter import X_EPISODES, X_TIMESTEPS, X_WALLTIME, ts2xy

    episodes, evaluations = rows(run / "episodes.csv"), rows(run / "evaluations.csv")
    frame = load_results(str(logs))
    steps, returns = ts2xy(frame, X_TIMESTEPS)
    assert steps.tolist() == [int(row["step"]) for row in episodes]
    assert np.allclose(returns, [float(row["return"]) for row in episodes], rtol=0, atol=1e-6)
    hours, _ = ts2xy(frame, X_WALLTIME)
    assert np.allclose(hours * 3600, [float(row["seconds"]) for row in episodes], atol=1e-3)
    assert len(ts2xy(frame, X_EPISODES)[0]) == len(episodes)
    log = np.load(logs / "evaluations.npz")
    assert log["timesteps"].tolist() == [int(row["step"]) for row in evaluations]
    means = [float(row["return_mean"]) for row in evaluations]
    assert np.allclose(log["results"].mean(axis=1), means) and log["results"].shape == log["ep_lengths"].shape
    deviations = [float(row["return_sd"]) for row in evaluations]
    assert np.allclose(log["results"].std(axis=1), deviations)
    progress = pandas.read_csv(logs / "progress.csv")
    assert len(progress) == len(episodes) // 4 + len(evaluations)
    assert np.allclose(progress["eval/mean_reward"].dropna(), means)
    print(f"  logs: {len(episodes)} episodes, {len(evaluations)} evaluations of {log['results'].shape[1]}, {len(progress)} rows of progress")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", default=ROOT / ".build/release/offpolicy", type=pathlib.Path)
    parser.add_argument("--policy", nargs="+", type=pathlib.Path)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--open", nargs=2, type=pathlib.Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.open:
        warnings.simplefilter("ignore")
        source, folder = arguments.open
        check_model(source, folder / "last.zip", source / "policy.safetensors")
        check_model(source, folder / "best.zip", source / "policy-best.safetensors")
        return check_logs(source, folder / "logs")
    if subprocess.run([arguments.python, "-c", "import stable_baselines3, pandas"], capture_output=True).returncode:
        print("check-sb3.py: NOT CHECKED: this Python has no stable_baselines3; --python names another", file=sys.stderr)
        sys.exit(3)
    program = arguments.program.resolve()
    if not program.exists():
        sys.exit(f"check-sb3.py: {program} is not built; run ./offpolicy --version first")
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        runs = arguments.policy or []
        for number, (algorithm, environment, settings) in enumerate([] if runs else RUNS, start=1):
            runs.append(scratch / f"{number}-{algorithm}-{environment}")
            run(program, "train", algorithm, environment, "--steps", "1400", "--preset", "none", "--evaluate-every", "700",
                "--evaluation-episodes", "3", "--run-directory", runs[-1],
                *(word for setting in ["batchSize=32", "randomSteps=200", *settings] for word in ("--set", setting)))
        for number, source in enumerate(runs):
            print(source.name, flush=True)
            folder = scratch / f"export-{number}"
            folder.mkdir()
            run(program, "export", source, "--format", "sb3", "--out", folder / "last.zip")
            run(program, "export", source, "--format", "sb3", "--best", "--out", folder / "best.zip")
            run(program, "export", source, "--format", "sb3-logs", "--out", folder / "logs")
            print(run(arguments.python, __file__, "--open", source, folder), end="", flush=True)
    print(f"check-sb3.py: Stable-Baselines3 acts as the program does in {len(runs)} runs, and reads their logs")


if __name__ == "__main__":
    main()
