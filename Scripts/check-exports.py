#!/usr/bin/env python3
"""check-exports.py — holds every export of `offpolicy export` against the same equations in double precision.

    Scripts/check-exports.py                        trains small policies of every kind, exports and compares them
    Scripts/check-exports.py --policy RUN …         compares the exports of these runs or policy files instead
    Scripts/check-exports.py --python PATH          uses a Python that has onnx and onnxruntime

Observations are ordinary, constant, and as large as ±1e6. ONNX is run by onnxruntime and checked by onnx, at opset 17 and at
the newest opset that this onnxruntime knows; C is compiled by every compiler found, with warnings as errors; Swift by swiftc.
A card's front matter is read and its example run. Without a network there is no onnxruntime, and without a compiler no C:
both are then told loudly, and what is left is checked.
"""

import argparse
import json
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile
import venv

ROOT = pathlib.Path(__file__).resolve().parent.parent
ALGORITHMS = [
    ("sac", "Pendulum-v1", ["normalizeObservations=true", "hiddenSizes=64,48"]),
    ("td3", "MountainCarContinuous-v0", ["hiddenSizes=33"]),
    ("ddpg", "Pendulum-v1", ["hiddenSizes=16,16,8"]),
    ("dqn", "CartPole-v1", ["hiddenSizes=64,64"]),
    ("tqc", "Pendulum-v1", ["hiddenSizes=32,24", "policyActivation=silu"]),
    ("crossq", "Pendulum-v1", ["hiddenSizes=32,24", "policyHiddenSizes=24,16"]),
    ("xqc", "Pendulum-v1", ["hiddenSizes=32,24", "policyHiddenSizes=24,16,20", "atoms=21"]),
    ("td3", "Pendulum-v1", ["hiddenSizes=24,24", "policyActivation=tanh"]),
    ("dqn", "CartPole-v1", ["hiddenSizes=24", "criticActivation=elu"]),
    ("sac-discrete", "CartPole-v1", ["normalizeObservations=true", "hiddenSizes=32,32"]),
]
NEWEST = 28
skipped = []


def skip(text):
    skipped.append(text)
    print(f"check-exports.py: NOT CHECKED: {text}", file=sys.stderr)


def run(*command, cwd=None, text=None):
    done = subprocess.run(list(map(str, command)), cwd=cwd, input=text, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"check-exports.py: {' '.join(map(str, command))[:200]} failed:\n{done.stdout[-2000:]}{done.stderr[-4000:]}")
    return done.stdout


def has(python, module):
    return subprocess.run([python, "-c", f"import {module}"], capture_output=True).returncode == 0


def make_python(folder):
    """A Python with NumPy, and with onnxruntime where pip finds it."""
    venv.create(folder, with_pip=True)
    python = str(folder / "bin/python")
    installed = subprocess.run(
        [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "numpy", "onnx", "onnxruntime", "pyyaml"],
        capture_output=True, text=True)
    if installed.returncode:
        # the machine's own may have NumPy
        return sys.executable
    return python


# ---------------------------------------------------------------------------------------------------------------------
# what runs in the Python that has NumPy


def load(path):
    import numpy as np

    data = pathlib.Path(path).read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + size])
    metadata = header.pop("__metadata__")
    tensors = {
        name: np.frombuffer(data, "<f4", int(np.prod(t["shape"])), 8 + size + t["data_offsets"][0])
        .reshape(t["shape"]).astype(np.float64)
        for name, t in header.items()}
    return tensors, metadata


class Reference:
    """A policy file's equations in float64, and how far float32 may be from them."""

    def __init__(self, path):
        self.tensors, self.metadata = load(path)
        self.choices = int(self.metadata["choices"]) if "choices" in self.metadata else None
        self.size = int(self.metadata["observationSize"])
        self.hidden = len(self.metadata["hiddenSizes"].split(","))
        self.is_gaussian = "policy.mean.bias" in self.tensors
        self.low, self.high = self.tensors["action.low"], self.tensors["action.high"]
        self.noise_size = self.choices or len(self.low)
        self.can_draw = self.is_gaussian or self.metadata["algorithm"] == "sac-discrete"

    def layer(self, name, x, magnitude):
        import numpy as np

        weight, bias = self.tensors[f"policy.{name}.weight"], self.tensors[f"policy.{name}.bias"]
        return x @ weight.T + bias, magnitude @ np.abs(weight).T + np.abs(bias)

    def activated(self, x):
        import numpy as np

        kind = self.metadata.get("activation", "relu")
        if kind == "tanh":
            return np.tanh(x)
        if kind == "elu":
            return np.where(x > 0, x, np.expm1(np.minimum(x, 0)))
        if kind == "silu":
            return x * (np.tanh(x / 2) + 1) / 2
        return np.maximum(x, 0)

    def outputs(self, observations, noise):
        """The output layer's values, and the greatest sum of magnitudes that a rounding error grows with."""
        import numpy as np

        x = observations.astype(np.float64)
        if "normalizer.mean" in self.tensors:
            clip = float(self.metadata.get("normalizerClip", "inf"))
            mean, scale = self.tensors["normalizer.mean"], self.tensors["normalizer.scale"]
            magnitude = np.minimum((np.abs(x) + np.abs(mean)) / scale, clip)
            x = np.clip((x - mean) / scale, -clip, clip)
        else:
            magnitude = np.abs(x)
        for k in range(self.hidden):
            x, magnitude = self.layer(f"layer.{k}", x, magnitude)
            x = self.activated(x)
        z, spread = self.layer("mean" if self.is_gaussian else f"layer.{self.hidden}", x, magnitude)
        if noise is not None and self.choices:
            gumbel = np.log(-np.log(noise.astype(np.float64)))
            z, spread = z - gumbel, spread + np.abs(gumbel) + 1
        elif noise is not None:
            raw, raw_spread = self.layer("log_std", x, magnitude)
            deviation = np.exp(np.clip(raw, -20, 2))
            z = z + deviation * noise
            spread = spread + np.abs(deviation * noise) * (1 + raw_spread)
        return z, spread

    def compare(self, what, actions, observations, noise, tolerance):
        """Ends the program where actions are further away than the tolerance and rounding of float32 explain."""
        import numpy as np

        z, spread = self.outputs(observations, noise)
        if self.choices:
            best = np.sort(z, axis=1)
            decided = best[:, -1] - best[:, -2] > 1e-5 * (1 + spread.max(axis=1)) if self.choices > 1 else np.ones(len(z), bool)
            wrong = (np.asarray(actions).reshape(-1) != z.argmax(axis=1)) & decided
            assert not wrong.any(), f"{what}: other choices on {observations[wrong][:3]}"
            return f"{int(decided.sum())} of {len(z)} choices are decided, all the same"
        half = (self.high - self.low) / 2
        expected = self.low + (np.tanh(z) + 1) * half
        error = np.abs(np.asarray(actions).reshape(expected.shape) - expected)
        # 2⁻²⁴ of each sum's magnitude, in each of a few layers, through tanh's slope
        rounding = 2.0**-22 * spread * (1 - np.tanh(z) ** 2) * half
        bound = tolerance * np.maximum(1, np.maximum(np.abs(self.low), np.abs(self.high)))
        assert (error <= bound + rounding).all(), f"{what}: {(error - bound - rounding).max()} beyond the bound"
        assert ((actions >= self.low) & (actions <= self.high)).all(), f"{what}: outside the bounds"
        ordinary = np.abs(observations).max(axis=1) < 1e3
        return f"greatest error {error[ordinary].max():.1e}, on extreme observations {error.max():.1e}"


def observations(reference, count=256):
    import numpy as np

    generator = np.random.default_rng(0)
    size = reference.size
    mean, scale = reference.tensors.get("normalizer.mean", np.zeros(size)), reference.tensors.get("normalizer.scale", np.ones(size))
    draw = generator.normal(size=(count, size))
    rows = [mean + scale * draw, 10 * draw, 1e6 * np.sign(draw[:32]), 1e6 * draw[:32]]
    rows += [np.full((1, size), value) for value in (0, 1, -1, 1e6, -1e6, 1e-30, 123.25)]
    constant = mean + scale * draw[:32]
    constant[:, 0] = 1e6  # one feature alone
    return np.concatenate(rows + [constant]).astype(np.float32)


def compare_all(folder):
    """Compares what is in the folder: policy.safetensors and its exports, with what C and Swift printed."""
    import importlib.util

    import numpy as np

    folder = pathlib.Path(folder)
    reference = Reference(folder / "policy.safetensors")
    s = np.load(folder / "observations.npy")
    for draws in (False, True):
        verb = "sample" if draws else "act"
        if not (folder / verb).exists():
            continue
        noise = np.load(folder / "noise.npy") if draws else None
        here = folder / verb

        for printed in sorted(here.glob("*.txt")):
            actions = np.array([list(map(float, line.split())) for line in printed.read_text().splitlines()], np.float32)
            print(f"  {printed.stem} {verb}:", reference.compare(printed.stem, actions, s, noise, 1e-6))

        spec = importlib.util.spec_from_file_location("policy", here / "policy.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        call = getattr(module, verb)
        arguments = (s, noise) if draws else (s,)
        print(f"  numpy {verb}:", reference.compare("numpy", call(*arguments), s, noise, 1e-6))
        one = call(*(array[0] for array in arguments))
        assert np.allclose(one, np.asarray(call(*arguments))[0], atol=1e-5), "numpy: a row alone gives another action"

        if not list(here.glob("*.onnx")) or importlib.util.find_spec("onnxruntime") is None:
            continue
        import onnx
        import onnxruntime

        tried = []
        for opset in range(17, NEWEST + 1):
            path = here / f"opset{opset}.onnx"
            model = onnx.load(path)
            onnx.checker.check_model(model, full_check=True)
            assert model.opset_import[0].version == opset
            assert onnx.shape_inference.infer_shapes(model, strict_mode=True)
            options = onnxruntime.SessionOptions()
            options.log_severity_level = 4
            try:
                session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
            except Exception as error:
                # only an opset that this runtime does not have yet may be refused
                assert opset > 22 and "opset" in str(error).lower(), error
                continue
            tried.append(opset)
            actions = session.run(["action"], {"observation": s} | ({"noise": noise} if draws else {}))[0]
            result = reference.compare(f"onnx, opset {opset}", actions, s, noise, 1e-5)
        print(f"  onnx {verb}, opsets {tried[0]} to {tried[-1]} run, {NEWEST} checked:", result)


def check_card(folder):
    import numpy as np

    folder = pathlib.Path(folder)
    reference = Reference(folder / "policy.safetensors")
    examples = json.loads((folder / "examples.json").read_text())
    s = np.array([example["observation"] for example in examples], np.float32)
    actions = np.array([example["action"] for example in examples], np.float32)
    print("  the program itself:", reference.compare("the program", actions, s, None, 1e-6))
    try:
        import yaml
    except ImportError:
        return
    text = (folder / "README.md").read_text()
    front = yaml.safe_load(text.split("---\n")[1])
    assert front["library_name"] == "swift-offpolicy" and reference.metadata["environment"] in front["tags"]
    if "model-index" in front:
        [metric] = front["model-index"][0]["results"][0]["metrics"]
        assert metric["type"] == "mean_reward" and " +/- " in metric["value"]


# ---------------------------------------------------------------------------------------------------------------------
# what runs in any Python

C_MAIN = """#include <stdio.h>
#include "policy.h"

int main(void) {
  float observation[%(observations)d], noise[%(noise)d], action[%(actions)d];
  int i;
  (void)noise;
  for (;;) {
    for (i = 0; i < %(observations)d; i++) if (scanf("%%f", &observation[i]) != 1) return 0;
    %(read)s
    %(call)s
    for (i = 0; i < %(actions)d; i++) printf("%%.9g ", (double)action[i]);
    printf("\\n");
  }
}
"""

SWIFT_MAIN = """while let line = readLine() {
  let numbers = line.split(separator: " ").map { Float($0)! }
  let action = Policy.%(call)s
  print(%(print)s)
}
"""


def compile_and_run(reference, here, verb, lines):
    draws, choices, size, noise = verb == "sample", reference["choices"], reference["size"], reference["noise"]
    values = {
        "observations": size, "noise": noise, "actions": 1 if choices else reference["actions"],
        "read": f'for (i = 0; i < {noise}; i++) if (scanf("%f", &noise[i]) != 1) return 0;' if draws else "",
        "call": ("action[0] = (float)" if choices else "")
        + f"policy_{verb}(observation{', noise' if draws else ''}{'' if choices else ', action'});"}
    (here / "main.c").write_text(C_MAIN % values)
    compilers = [name for name in ("gcc", "clang", "cc") if shutil.which(name)]
    if not compilers:
        skip("the C export was not compiled: there is no compiler")
    for compiler in compilers[:2]:
        for flags in (["-O2"], ["-O0", "-fsanitize=undefined", "-fno-sanitize-recover"]):
            program = here / f"c-{compiler}"
            command = [compiler, "-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", *flags, "main.c", "-o", program, "-lm"]
            done = subprocess.run(list(map(str, command)), cwd=here, capture_output=True, text=True)
            if done.returncode and "-fsanitize=undefined" in flags and "ubsan" in done.stderr:
                continue  # its library is not installed
            if done.returncode:
                sys.exit(f"check-exports.py: {' '.join(map(str, command))}:\n{done.stderr}")
            (here / f"{program.name}{flags[0]}.txt").write_text(run(program, text=lines))
    if compiler := shutil.which("arm-none-eabi-gcc"):
        run(compiler, "-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", "-mcpu=cortex-m4", "-mthumb", "-Os", "-c",
            "main.c", "-o", "main.o", cwd=here)
    if not shutil.which("swiftc"):
        return skip("the Swift export was not compiled: there is no swiftc")
    arguments = "Array(numbers.prefix(Policy.observationSize))"
    if draws:
        arguments += ", noise: Array(numbers.dropFirst(Policy.observationSize))"
    (here / "main.swift").write_text(
        SWIFT_MAIN % {"call": f"{verb}({arguments})", "print": "action" if choices else 'action.map { "\\($0)" }.joined(separator: " ")'})
    run("swiftc", "-O", "-swift-version", "6", "-warnings-as-errors", "policy.swift", "main.swift", "-o", "swift", cwd=here)
    (here / "swift.txt").write_text(run(here / "swift", text=lines))


PREPARE = """
import runpy, json, sys
import numpy as np
module = runpy.run_path(sys.argv[1], run_name="module")
reference = module["Reference"](sys.argv[2] + "/policy.safetensors")
s = module["observations"](reference)
generator = np.random.default_rng(1)
shape = (len(s), reference.noise_size)
noise = generator.uniform(1e-6, 1, shape) if reference.choices else generator.normal(size=shape)
noise = np.clip(noise, 1e-6 if reference.choices else -np.inf, 0.99999 if reference.choices else np.inf).astype(np.float32)
np.save(sys.argv[2] + "/observations.npy", s)
np.save(sys.argv[2] + "/noise.npy", noise)
def text(rows): return "".join(" ".join(f"{v:.9g}" for v in row) + "\\n" for row in rows)
open(sys.argv[2] + "/act.lines", "w").write(text(s))
open(sys.argv[2] + "/sample.lines", "w").write(text(np.concatenate([s, noise], axis=1)))
print(json.dumps({"choices": reference.choices, "size": reference.size, "noise": reference.noise_size,
                  "actions": len(reference.low), "draws": reference.can_draw}))
"""


def check(policy, program, python, folder, has_onnx):
    folder.mkdir()
    path = pathlib.Path(policy)
    shutil.copy(path / "policy.safetensors" if path.is_dir() else path, folder / "policy.safetensors")
    reference = json.loads(run(python, "-c", PREPARE, __file__, folder))
    for verb in ["act"] + ["sample"] * reference["draws"]:
        here = folder / verb
        here.mkdir()
        more = ["--stochastic"] * (verb == "sample")
        for format, name in (("c", "policy.h"), ("numpy", "policy.py"), ("swift", "policy.swift")):
            run(program, "export", policy, "--format", format, "--out", here / name, *more)
        for opset in range(17, NEWEST + 1) if has_onnx else []:
            run(program, "export", policy, "--format", "onnx", "--opset", opset, "--out", here / f"opset{opset}.onnx", *more)
        compile_and_run(reference, here, verb, (folder / f"{verb}.lines").read_text())
    run(program, "export", policy, "--format", "card", "--out", folder / "card")
    run(python, "example.py", cwd=folder / "card")
    print(run(python, __file__, "--compare", folder), end="")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", default=ROOT / ".build/release/offpolicy", type=pathlib.Path)
    parser.add_argument("--policy", nargs="+")
    parser.add_argument("--python")
    parser.add_argument("--compare", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.compare:
        compare_all(arguments.compare)
        return check_card(pathlib.Path(arguments.compare) / "card")
    program = arguments.program.resolve()
    if not program.exists():
        sys.exit(f"check-exports.py: {program} is not built; run ./offpolicy --version first")
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        python = arguments.python or make_python(scratch / "venv")
        if not has(python, "numpy"):
            return skip("no export at all: pip cannot install NumPy here, and this Python has none")
        has_onnx = has(python, "onnx") and has(python, "onnxruntime")
        if not has_onnx:
            skip("the ONNX export was not run: pip cannot install onnx and onnxruntime here")
        policies = arguments.policy or []
        if not policies:
            for number, (algorithm, environment, settings) in enumerate(ALGORITHMS, start=1):
                policies.append(str(scratch / f"{number}-{algorithm}"))
                run(program, "train", algorithm, environment, "--steps", "600", "--set", "randomSteps=100", "--evaluate-every", "600",
                    "--evaluation-episodes", "2", "--run-directory", policies[-1],
                    *(word for setting in ["batchSize=32", *settings] for word in ("--set", setting)))
        for index, policy in enumerate(policies):
            print(policy if arguments.policy else pathlib.Path(policy).name)
            check(policy, program, python, scratch / f"exports-{index}", has_onnx)
    print(f"check-exports.py: {len(policies)} policies, every export acts as the policy does"
          + (f"; {len(skipped)} parts were NOT checked, see above" if skipped else ""))


if __name__ == "__main__":
    main()
