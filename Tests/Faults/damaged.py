#!/usr/bin/env python3
"""Damages every kind of file that the program reads, and calls every command that reads it.

    Tests/Faults/damaged.py [--calls N] [--seed S] [--kind NAME]... [--binary PATH]

A call must end with 0, or with 1, 3 or 64 and one line that begins with "Error: ". It may not trap, hang, take
300 MB, or speak of Foundation's error domains. Ends with the number of
calls and of those that were not so; exit code 1 unless that is 0. Damaged files of bad calls are kept beside the message.
"""

import argparse
import collections
import os
import pathlib
import random
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import threading

ROOT = pathlib.Path(__file__).resolve().parents[2]
SMALL = ["--set", "hiddenSizes=8", "--set", "batchSize=8", "--threads", "1"]
LIMIT = 300_000  # kB of resident memory
NUMBERS = ["9223372036854775807", "-9223372036854775808", "18446744073709551615", "1e308", "-1e308", "1e15", "0", "-1", "0.5",
           "1e-320", "NaN", "Infinity", "null", "\"\"", "[]", "{}", "true", "99999999999999999999999999"]

YAML = """algorithm: td3
source: a paper
presets:
  Pendulum-v1:
    summary: text
    for: [Pendulum-v1]
    steps: 60
    settings: &all
      discount: 0.98
      randomSteps: 20
      hiddenSizes: [8, 8]
      batchSize: {value: 8, source: here}
      explorationNoise: {gaussian: {standardDeviation: 0.2}}
  Other-v0:
    settings:
      <<: *all
      policyLearningRate: 1e-3
"""
ZOO = """Pendulum-v1: &defaults
  n_timesteps: !!float 60
  policy: 'MlpPolicy'
  learning_rate: lin_7.3e-4
  learning_starts: 20
  batch_size: 8
  policy_kwargs: "dict(net_arch=[8, 8])"
  train_freq: [1, "episode"]
  noise_type: 'normal'
  noise_std: 0.1
  normalize: "{'norm_obs': True, 'norm_reward': False}"
Other-v0:
  <<: *defaults
  gamma: 0.98
"""
SWEEP = """algorithms: [td3, sac]
environments: [Pendulum-v1]
seeds: 0..2
steps: 60
jobs: 2
set:
  randomSteps: [20, 30]
  hiddenSizes: [[8, 8], [16]]
"""


def call(binary, arguments, folder, seconds=150):
    """Exit code, what it said, and the most memory that it had. Longer than a minute of the processor is a hang too."""
    process = subprocess.Popen([binary, *map(str, arguments)], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               stdin=subprocess.DEVNULL,
                               preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (60, 60)), env={**os.environ, "SWIFT_BACKTRACE": "enable=no"})
    timer = threading.Timer(seconds, process.kill)
    timer.start()
    said = process.stdout.read().decode(errors="replace")
    _, status, usage = os.wait4(process.pid, 0)
    hung = not timer.is_alive()
    timer.cancel()
    process.returncode = 0  # waited for already
    code = 124 if hung else os.waitstatus_to_exitcode(status)
    return code, said, usage.ru_maxrss


class Kinds:
    """What is damaged, and the calls that read it: file name, calls."""

    def __init__(self, binary, base):
        self.binary, self.base = binary, base
        run = base / "run"
        small = [*SMALL, "--set", "randomSteps=20"]
        self.make("train", "td3", "Pendulum-v1", "--steps", 600, "--run-directory", run, "--evaluate-every", 200, "--evaluation-episodes",
                  1, "--checkpoint-every", 100, "--tensorboard", *small)
        for name in ("data.npz", "data.hdf5", "data"):
            self.make("collect", "random", "Pendulum-v1", "--steps", 60, "--out", base / name, optional=name.endswith("hdf5"))
        for name, text in (("preset.yaml", YAML), ("zoo.yml", ZOO), ("sweep.yaml", SWEEP)):
            (base / name).write_text(text)
        self.make("sweep", base / "sweep.yaml", "--directory", base / "sweep", "--slurm", base / "job.sh")
        shutil.copy(run / "policy.safetensors", base / "policy.safetensors")
        events = next(run.glob("events.*")).name
        again = ["resume", "run", "--steps", 620]
        read = [["report", "run", "--out", "page.html"], ["plot", "run", "--format", "svg"], ["compare-runs", "run", "run", "--json"],
                ["inspect", "run"], ["export", "run", "--format", "card"], again]
        data = [["train", "td3-bc", "Pendulum-v1", "--steps", 5, "--evaluate-every", 0, *SMALL]]
        preset = ["train", "td3", "Pendulum-v1", "--evaluate-every", 0, "--steps", 60, "--threads", 1, "--preset"]
        self.kinds = {
            "policy": ("policy.safetensors", [["evaluate", "policy.safetensors", "--episodes", 1]] + [
                ["export", "policy.safetensors", "--format", name] for name in ("onnx", "c", "numpy", "swift", "card")] + [
                ["record", "policy.safetensors", "--still", 1, "--width", 32, "--height", 24],
                ["train", "td3", "Pendulum-v1", "--from", "policy.safetensors", "--steps", 40, "--evaluate-every", 0, *small]]),
            "run.json": ("run/run.json", read + [["clone", "run", "--by", 20], ["evaluate", "run", "--episodes", 1],
                                                ["dataset", "info", "run"]]),
            "state": ("run/checkpoint/state.safetensors", [["inspect", "run"], again, ["clone", "run", "--by", 20]]),
            "frames": ("run/checkpoint/replay-00000000.frames", [again, ["dataset", "info", "run"]]),
            **{name: (f"run/{name}.csv", read) for name in ("episodes", "metrics", "evaluations", "health")},
            "events": (f"run/{events}", [again]),
            "npz": ("data.npz", [["dataset", "info", "data.npz"]] + [c[:3] + ["--dataset", "data.npz"] + c[3:] for c in data]),
            "folder": ("data/dataset.json", [["dataset", "info", "data"], ["dataset", "convert", "data", "out.npz"]]),
            "preset": ("preset.yaml", [preset + ["preset.yaml"], preset + ["preset.yaml#Other-v0"]]),
            "zoo": ("zoo.yml", [preset + ["zoo:zoo.yml"], preset + ["zoo:zoo.yml#Other-v0"]]),
            "sweep file": ("sweep.yaml", [["sweep", "sweep.yaml", "--directory", "other", "--dry-run"]]),
            "sweep": ("sweep/sweep.json", [["sweep", "sweep", "--dry-run"], ["sweep", "sweep.yaml", "--directory", "sweep", "--dry-run"],
                                          ["compare-runs", "sweep"]]),
        }
        if (base / "data.hdf5").exists():
            self.kinds["hdf5"] = ("data.hdf5", [["dataset", "info", "data.hdf5"]])

    def make(self, *arguments, optional=False):
        code, said, _ = call(self.binary, arguments, self.base)
        if code and not optional:
            sys.exit(f"{' '.join(map(str, arguments))}: exit {code}: {said}")


def damage(path, rng):
    """Does something to a file, and says what."""
    data = bytearray(path.read_bytes())
    is_text = path.suffix in (".json", ".csv", ".yaml", ".yml")
    choice = rng.randrange(12)
    if is_text and choice < 7:
        text = data.decode()
        found = list(re.finditer(r"-?\d[\d.e+-]*", text))
        if choice < 4 and found:
            place, number = rng.choice(found), rng.choice(NUMBERS)
            path.write_text(text[:place.start()] + number + text[place.end():])
            return f"{place[0]} at {place.start()} is {number}"
        words = list(re.finditer(r"[A-Za-z_]+", text))
        place, other = rng.choice(words), rng.choice([rng.choice(words)[0], "../../x", "é\u202e", "a" * 5000, "", "0"])
        path.write_text(text[:place.start()] + other + text[place.end():])
        return f"{place[0]} at {place.start()} is {other[:20]}"
    if choice == 7:
        cut = rng.randrange(len(data) + 1)
        path.write_bytes(data[:cut])
        return f"cut at {cut}"
    if choice == 8:
        kind = rng.choice(["link to itself", "folder", "pipe", "1 TB of holes", "nothing", "unreadable", "zeros"])
        path.unlink()
        if kind == "link to itself":
            path.symlink_to(path.name)
        elif kind == "folder":
            path.mkdir()
        elif kind == "pipe":
            os.mkfifo(path)
        elif kind == "1 TB of holes":
            path.touch()
            os.truncate(path, 1 << 40)
        elif kind == "zeros":
            path.write_bytes(bytes(len(data)))
        elif kind == "unreadable":
            path.write_bytes(data)
            path.chmod(0)
        return kind
    if choice == 9:
        at = rng.randrange(len(data))
        size = rng.randrange(1, 64)
        data[at:at] = data[rng.randrange(len(data)):][:size]
        path.write_bytes(data)
        return f"{size} bytes more at {at}"
    # the head has the structure
    spots = [rng.randrange(min(len(data), rng.choice([16, 400, 4000, 1 << 30]))) for _ in range(rng.randrange(1, 5))]
    for at in spots:
        data[at] = rng.choice([0, 255, 127, 128, rng.randrange(256), data[at] ^ (1 << rng.randrange(8))])
    path.write_bytes(data)
    return f"bytes at {spots}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--calls", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kind", action="append")
    parser.add_argument("--binary", type=pathlib.Path, default=ROOT / ".build/release/offpolicy")
    options = parser.parse_args()
    binary, rng = options.binary.resolve(), random.Random(options.seed)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    bad, counts = 0, collections.Counter()
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        (scratch / "base").mkdir()
        kinds = Kinds(binary, scratch / "base").kinds
        chosen = options.kind or list(kinds)
        calls = 0
        while calls < options.calls:
            name = chosen[calls % len(chosen)]
            file, commands = kinds[name]
            work = scratch / "work"
            shutil.rmtree(work, ignore_errors=True)
            shutil.copytree(scratch / "base", work, symlinks=True)
            what = damage(work / file, rng)
            arguments = rng.choice(commands)
            code, said, memory = call(binary, arguments, work)
            calls += 1
            counts[name, code] += 1
            errors = [line for line in said.splitlines() if line.startswith("Error: ")]
            why = ("hangs" if code == 124 else f"ends with {code}" if code not in (0, 1, 3, 64)
                   else f"has {len(errors)} lines of error" if code and len(errors) != 1
                   else f"takes {memory} kB" if memory > LIMIT
                   else "speaks of Foundation" if re.search("NSCocoa|NSPOSIX|Fatal error|Error Domain", said) else None)
            if why:
                bad += 1
                kept = pathlib.Path(tempfile.mkdtemp(prefix="damaged-"))
                shutil.copytree(work, kept / "work", symlinks=True, ignore_dangling_symlinks=True,
                                ignore=lambda folder, names: [n for n in names if (pathlib.Path(folder) / n).is_fifo()
                                                              or (pathlib.Path(folder) / n).stat(follow_symlinks=False).st_size > 1 << 30])
                print(f"{name}, {what}: {' '.join(map(str, arguments))} {why}: {said.strip()[-300:]} (in {kept})", flush=True)
    for name in chosen:
        print(f"{name}: " + ", ".join(f"{count} with {code}" for (kind, code), count in sorted(counts.items()) if kind == name))
    print(f"{calls} calls on damaged files of {len(chosen)} kinds: {bad} that were not as they must be")
    sys.exit(1 if bad else 0)


main()
