#!/usr/bin/env python3
"""check-bridge.py — holds `gym:ID` and `python:FILE:FUNCTION` against the built-in environments, kills, hangs and bad input.

    Scripts/check-bridge.py PROGRAM PYTHON

PYTHON is an interpreter that has Gymnasium; with gymnasium[mujoco] HalfCheetah-v5 is compared too.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time

PROGRAM, PYTHON = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
SMALL = ["--set", "hiddenSizes=16,16", "--set", "batchSize=16", "--set", "randomSteps=100", "--threads", "1"]
failures = []

OWN = """
import time
import numpy as np
import gymnasium as gym
from gymnasium import spaces

class Walk(gym.Env):
    made = 0
    def __init__(self, fails=0, hangs=0, dies=0, pause=0.0, breaks=0, blank=0, uneven=False):
        Walk.made += 1
        self.observation_space = spaces.Dict({"place": spaces.Box(-1, 1, (2,)), "kind": spaces.Discrete(3)})
        self.action_space = spaces.Box(np.array([-2.0, 0.0], np.float32), np.array([2.0, 1.0], np.float32))
        self.limits = (fails, hangs, dies)
        self.pause, self.breaks, self.blank = pause, breaks, blank
        self.length = 40 + (Walk.made if uneven else 0)
        self.total = self.resets = 0
    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.resets += 1
        if self.resets == self.breaks: raise RuntimeError("no wheels")
        self.place, self.count = self.np_random.uniform(-0.5, 0.5, 2), 0
        return self.observe(), {}
    def observe(self):
        return {"place": self.place.astype(np.float32), "kind": self.count % 3}
    def step(self, action):
        assert self.action_space.contains(action), action
        self.total += 1
        fails, hangs, dies = self.limits
        time.sleep(self.pause)
        if fails and self.total == fails: raise RuntimeError("a wheel came off")
        if hangs and self.total == hangs: time.sleep(60)
        if dies and self.total == dies: __import__("os")._exit(9)
        self.place = np.clip(self.place + 0.05 * np.asarray(action, np.float64), -1, 1)
        self.count += 1
        if self.count == self.blank: self.place[1] = np.nan
        return self.observe(), -float(np.abs(self.place).sum()), False, self.count >= self.length, {}

def make(**options): return Walk(**options)
def infinite():
    env = Walk(); env.action_space = spaces.Box(-np.inf, np.inf, (2,)); return env
"""


def run(*arguments, folder, wanted=0):
    result = subprocess.run([PROGRAM, *arguments], cwd=folder, capture_output=True, text=True)
    if (result.returncode == 0) != (wanted == 0):
        failures.append(f"{' '.join(arguments)} ended with {result.returncode}: {result.stderr[-400:]}")
    return result


def train(name, environment, *more, folder, algorithm="sac", steps="600", wanted=0):
    python = ["--python", PYTHON] if ":" in environment else []
    return run("train", algorithm, environment, "--steps", steps, "--seed", "7", "--run-directory", name,
               "--evaluate-every", "0", *SMALL, *python, *more, folder=folder, wanted=wanted)


def digest(name, folder):
    printed = run("inspect", name, "--json", folder=folder).stdout
    return json.loads(printed)["digest"] if printed else None


def expect(what, condition, shown=""):
    print(("ok    " if condition else "WRONG ") + what + (f": {shown}" if shown and not condition else ""), flush=True)
    if not condition:
        failures.append(what)


def same_as_built_in(folder):
    has_mujoco = subprocess.run([PYTHON, "-c", "import mujoco"], capture_output=True).returncode == 0
    for environment, algorithm in [("CartPole-v1", "dqn"), *([("HalfCheetah-v5", "sac")] if has_mujoco else [])]:
        train(f"own-{environment}", environment, folder=folder, algorithm=algorithm)
        train(f"gym-{environment}", f"gym:{environment}", folder=folder, algorithm=algorithm)
        expect(f"gym:{environment} gives the digest of the built-in {environment}",
               digest(f"own-{environment}", folder) == digest(f"gym-{environment}", folder) is not None)
        promise = json.loads(run("inspect", f"gym-{environment}", "--json", folder=folder).stdout)["resume"]
        expect(f"gym:{environment} can be resumed exactly", promise == "exact", promise)


def goes_on(folder):
    """A run that is killed goes on: to the bit where the environment can be saved."""
    for workers in ("1", "2"):
        train(f"whole{workers}", "python:own.py:make", "--environments", "3", "--workers", workers, folder=folder)
    expect("any number of workers gives the same bits", digest("whole1", folder) == digest("whole2", folder))
    arguments = [PROGRAM, "train", "sac", "python:own.py:make", "--steps", "600", "--seed", "7", "--environments", "3",
                 "--run-directory", "killed", "--evaluate-every", "0", "--checkpoint-every", "60", *SMALL,
                 "--python", PYTHON]
    process = subprocess.Popen(arguments, cwd=folder, stderr=subprocess.DEVNULL)
    state = os.path.join(folder, "killed/checkpoint/state-previous.safetensors")
    while process.poll() is None and not os.path.exists(state):
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait()
    run("resume", "killed", folder=folder)
    expect("a run that was killed has the bits of one that was not", digest("killed", folder) == digest("whole1", folder))
    time.sleep(0.5)
    left = subprocess.run(["pgrep", "-f", "own.py:make"], capture_output=True, text=True).stdout
    expect("no worker is left behind", left == "", left)


def overlaps(folder):
    """Steps beside updates: the bits are those of a lag of one round, whatever the timing; killed, it goes on."""
    several = ["python:own.py:make", "--environments", "3", "--overlap"]
    for name, *more in (("one", "--workers", "1"), ("two", "--workers", "2"), ("three", "--workers", "3"),
                        ("slow", "--workers", "2", "--option", "pause=0.004"), ("threads", "--threads", "2")):
        train(f"overlap-{name}", *several, *more, folder=folder)
    digests = {digest(f"overlap-{name}", folder) for name in ("one", "two", "three", "slow", "threads")}
    expect("with --overlap timing, workers and threads leave the bits alone", len(digests) == 1 and None not in digests, str(digests))
    expect("--overlap is another run than one without", digest("whole1", folder) not in digests)
    described = json.load(open(os.path.join(folder, "overlap-one/run.json")))["run"]
    expect("run.json says overlap", described["overlap"] is True and "overlap" not in json.load(
        open(os.path.join(folder, "whole1/run.json")))["run"])
    process = subprocess.Popen([PROGRAM, "train", "sac", *several, "--steps", "600", "--seed", "7", "--run-directory", "overlap-killed",
                                "--evaluate-every", "0", "--checkpoint-every", "60", *SMALL, "--python", PYTHON],
                               cwd=folder, stderr=subprocess.DEVNULL)
    state = os.path.join(folder, "overlap-killed/checkpoint/state-previous.safetensors")
    while process.poll() is None and not os.path.exists(state):
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait()
    run("resume", "overlap-killed", folder=folder)
    expect("a run with --overlap that was killed has the bits of one that was not", digest("overlap-killed", folder) in digests)
    result = train("overlap-failed", *several, "--option", "fails=150", folder=folder, wanted=1)
    expect("a failing environment with --overlap is told", "a wheel came off" in result.stderr, result.stderr)
    refused = run("train", "sac", "Pendulum-v1", "--overlap", folder=folder, wanted=1)
    expect("--overlap is refused for a built-in environment", "--overlap is for gym:ID" in refused.stderr, refused.stderr)


def bad_input(folder):
    def said(name, environment, *more):
        text = train(name, environment, *more, folder=folder, wanted=1).stderr
        errors = [line for line in text.splitlines() if line.startswith("Error:")]
        expect(f"{environment} {' '.join(more)}: one line", len(errors) == 1 and text.strip().endswith(errors[0]), text)
        return text
    expect("an exception is told with its line", "a wheel came off (at " in said("f", "python:own.py:make", "--option", "fails=300"))
    expect("a hang is told", "did not answer within 1.0 s" in said("h", "python:own.py:make", "--option", "hangs=300", "--step-limit", "1"))
    expect("a death is told", "exit code 9" in said("d", "python:own.py:make", "--option", "dies=300"))
    expect("infinite bounds are told", "need finite bounds" in said("i", "python:own.py:infinite"))
    expect("a missing file is told", "no Python file" in said("m", "python:none.py:make"))
    expect("a missing function is told", "has no function" in said("n", "python:own.py:none"))
    expect("the step of a value that is none is told", "at step 7 of the episode" in said("b", "python:own.py:make", "--option", "blank=7"))
    expect("an unknown id is told", "NoSuch" in said("u", "gym:NoSuchThing-v0"))
    expect("an id of Gymnasium is proposed", "gym:LunarLander-v3" in said("l", "LunarLander-v3"))
    # four lanes in a process: what breaks in one of them ends the episodes of all, and is one fault
    for what, faults, more in [("step", 1, ["fails=300"]), ("step of several", 3, ["fails=30"]),
                               ("reset of several", 2, ["breaks=2", "uneven=true"])]:
        options = [part for option in more for part in ("--option", option)]
        several = ["--environments", "4", "--workers", "1"] if "several" in what else []
        name = "restarted " + what
        result = train(name, "python:own.py:make", *options, *several, "--on-fault", "restart", folder=folder, steps="400")
        counted = json.loads(run("inspect", name, "--json", folder=folder).stdout or "{}").get("simulatorFaults")
        expect(f"a failing {what} is counted once, and the environment made anew", counted == faults, f"{counted} {result.stderr}")


def other_commands(folder):
    for command in (["evaluate", "whole1", "--episodes", "2", "--python", PYTHON],
                    ["environment", "check", "gym:CartPole-v1", "--python", PYTHON, "--steps", "100"],
                    ["collect", "random", "python:own.py:make", "--steps", "200", "--out", "data", "--python", PYTHON]):
        expect(f"{' '.join(command[:2])} works", run(*command, folder=folder).returncode == 0)


with tempfile.TemporaryDirectory() as folder:
    with open(os.path.join(folder, "own.py"), "w") as file:
        file.write(OWN)
    for check in (same_as_built_in, goes_on, overlaps, bad_input, other_commands):
        check(folder)
print(f"check-bridge.py: {len(failures)} wrong")
for failure in failures:
    print("  " + failure)
sys.exit(bool(failures))
