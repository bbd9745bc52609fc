#!/usr/bin/env python3
"""Kills Python processes in the middle of `learn`, goes on from the last file, compares with the uninterrupted run.

    Tests/Faults/sigkill_python.py [--kills N] [--seed S] [--python PATH]

Each series trains one algorithm in one environment to its last step through as many SIGKILLs as come. A callback saves
the model every 20 steps under the same name, and every 60 steps under a name of its own. Grades:

    exact    Pendulum-v1 built in, and a Python environment with get_state() and set_state(): the same digest at the end
    episode  a Python environment without them: the model loads and goes on; the running episode is lost, so bits differ

Ends with the number of kills, of lost runs and of runs that differ; exit code 1 unless both are 0.
"""

import argparse
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
STEPS, EVERY = 600, 20

WORKER = '''
import json, os, pathlib, sys
import numpy as np
import offpolicy
from offpolicy import spaces
from offpolicy.callbacks import BaseCallback

folder, name, kind = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]
STEPS, EVERY = int(sys.argv[4]), int(sys.argv[5])


class Drift:
    """A point that drifts and is pushed back."""

    observation_space = spaces.Box(-10, 10, (2,), np.float32)
    action_space = spaces.Box(-1, 1, (1,), np.float32)

    def __init__(self):
        self.generator = np.random.default_rng(0)

    def reset(self, seed=None, options=None):
        if seed is not None:
            self.generator = np.random.default_rng(seed)
        self.x, self.clock = float(self.generator.uniform(-1, 1)), 0
        return self.observe(), {}

    def observe(self):
        return np.array([self.x, self.clock / 25], dtype=np.float32)

    def step(self, action):
        self.x += 0.3 * float(action[0]) + float(self.generator.normal(0.05, 0.05))
        self.clock += 1
        return self.observe(), -self.x ** 2, abs(self.x) > 3, self.clock >= 25, {}

    def close(self):
        pass


class Exact(Drift):
    def get_state(self):
        state = self.generator.bit_generator.state
        return {"x": self.x, "clock": self.clock, "generator": state}

    def set_state(self, state):
        self.x, self.clock = state["x"], state["clock"]
        self.generator.bit_generator.state = state["generator"]


class Save(BaseCallback):
    def _on_step(self):
        if self.num_timesteps % EVERY == 0:
            self.model.save(folder / "model.zip")
            if self.num_timesteps % (3 * EVERY) == 0:
                self.model.save(folder / f"model_{self.num_timesteps}_steps.zip")
        return True


cls = getattr(offpolicy, name)
built_in = "CartPole-v1" if name in ("DQN", "DiscreteSAC") else "Pendulum-v1"
environment = {"built-in": built_in, "exact": Exact, "episode": Drift}[kind]
environment = environment if isinstance(environment, str) else environment()
path = folder / "model.zip"
if path.exists():
    # what was written is whole, the newest file and those before it
    for other in folder.glob("model_*_steps.zip"):
        assert cls.load(other).num_timesteps == int(other.name.split("_")[1]), other
    model = cls.load(path, env=environment)
else:
    small = dict(policy_kwargs={"net_arch": [16, 16]}, batch_size=16, learning_starts=30, buffer_size=300, seed=7)
    model = cls("MlpPolicy", environment, **small)
print(model.num_timesteps, flush=True)
model.learn(STEPS - model.num_timesteps, callback=Save(), reset_num_timesteps=False)
end = {"digest": model.digest, "steps": model.num_timesteps, "updates": model._n_updates}
(folder / "end.json").write_text(json.dumps(end))
'''


def start(python, folder, name, kind):
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "Python"), "PYTHONDONTWRITEBYTECODE": "1"}
    if not any((ROOT / "Python/offpolicy").glob("liboffpolicy.*")):
        environment.setdefault("OFFPOLICY_LIBRARY", str(ROOT / ".build/python/liboffpolicy.so"))
    command = [python, "-c", WORKER, str(folder), name, kind, str(STEPS), str(EVERY)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finished(process, folder):
    """What a process wrote at its end, or None where it was killed."""
    _, errors = process.communicate()
    if process.returncode == -signal.SIGKILL:
        return None
    if process.returncode != 0:
        raise RuntimeError(errors.strip()[-1500:])
    return json.loads((folder / "end.json").read_text())


def series(python, rng, folder, name, kind, duration, limit):
    """Goes through SIGKILLs to the end; returns the end and the number of kills."""
    kills = 0
    while True:
        process = start(python, folder, name, kind)
        if kills < limit:
            begun = process.stdout.readline()
            if begun:
                time.sleep(rng.uniform(0, 0.7 * duration))
                process.kill()
        end = finished(process, folder)
        if end is not None:
            return end, kills
        kills += 1


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--python", default=sys.executable)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    plan = [
        ("SAC", "built-in"),
        ("TD3", "exact"),
        ("DQN", "built-in"),
        ("SAC", "exact"),
        ("DDPG", "episode"),
        ("TD3", "built-in"),
    ]
    kills = lost = different = runs = 0
    whole = {}
    with tempfile.TemporaryDirectory() as base:
        while kills < options.kills:
            name, kind = plan[runs % len(plan)]
            if (name, kind) not in whole:
                folder = pathlib.Path(base) / f"whole-{name}-{kind}"
                folder.mkdir()
                process = start(options.python, folder, name, kind)
                begun = process.stdout.readline() and time.monotonic()
                whole[name, kind] = (finished(process, folder), time.monotonic() - (begun or 0))
            expected, duration = whole[name, kind]
            folder = pathlib.Path(base) / f"run-{runs}"
            folder.mkdir()
            runs += 1
            try:
                end, killed = series(options.python, rng, folder, name, kind, duration, min(25, options.kills - kills))
                kills += killed
                if end["steps"] != expected["steps"] or (kind != "episode" and end != expected):
                    different += 1
                    print(f"{name}, {kind}: {end} instead of {expected} after {killed} kills", flush=True)
            except RuntimeError as error:
                lost += 1
                kills += 1
                print(f"{name}, {kind}: lost: {error}", flush=True)
            left = [path.name for path in folder.iterdir() if not path.name.endswith(".zip")]
            if len(left) > 25:
                print(f"{name}, {kind}: {len(left)} unfinished files were left, such as {left[0]}", flush=True)
            subprocess.run(["rm", "-rf", folder], check=True)
    print(f"{kills} kills in {runs} runs, {lost} lost, {different} different")
    sys.exit(1 if lost or different else 0)


if __name__ == "__main__":
    main()
