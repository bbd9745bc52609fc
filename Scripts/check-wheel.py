#!/usr/bin/env python3
"""check-wheel.py — holds the wheel of the Python package to its promises, and tries it in every Python at hand.

    Scripts/check-wheel.py [WHEEL] [--python PATH]... [--auditwheel PYTHON]

1. It is at most 10 MB, and says py3-none: one wheel for every Python.
2. Its library gives offpolicy_ functions to others and nothing else, those of offpolicy.h, each of them.
3. auditwheel finds the platform tag of its name, or an older one.
4. In a bare virtual environment of every CPython from 3.9 on it installs with NumPy, trains SAC for 400 steps on a
   built-in environment, saves, loads, goes on, and reaches the same digest in all of them.
What cannot be tried, because a tool or the network is missing, is said aloud.
"""

import argparse
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
LIMIT = 10_000_000  # bytes

TRIAL = """
import os, sys, tempfile
assert "OFFPOLICY_LIBRARY" not in os.environ
import offpolicy
from offpolicy import SAC
small = dict(policy_kwargs={"net_arch": [32, 32]}, batch_size=32, seed=5)
whole = SAC("MlpPolicy", "Pendulum-v1", **small).learn(400)
half = SAC("MlpPolicy", "Pendulum-v1", **small).learn(200)
with tempfile.TemporaryDirectory() as folder:
    half.save(os.path.join(folder, "half"))
    again = SAC.load(os.path.join(folder, "half"))
    again.learn(200, reset_num_timesteps=False)
action, _ = again.predict([1.0, 0.0, 0.0], deterministic=True)
assert -2 <= action[0] <= 2 and whole.num_timesteps == again.num_timesteps == 400
assert whole.digest == again.digest, "going on after load() is not the run that was never interrupted"
assert "gymnasium" not in sys.modules
print(whole.digest)
"""


def failing(text):
    sys.exit(f"check-wheel.py: {text}")


def pythons():
    """Every CPython from 3.9 on, one of each minor version: on the path, then those of pyenv."""
    names = [f"python3.{minor}" for minor in range(9, 20)] + ["python3.14t", "python3"]
    candidates = [shutil.which(name) for name in names]
    candidates += sorted(str(path) for path in pathlib.Path.home().glob(".pyenv/versions/*/bin/python3"))
    found = {}
    for candidate in filter(None, candidates):
        code = "import sys, platform as p; print(sys.version_info[1], p.python_implementation(), sys.abiflags)"
        run = subprocess.run([candidate, "-c", code], capture_output=True, text=True)
        words = run.stdout.split()
        if run.returncode == 0 and words[1] == "CPython" and int(words[0]) >= 9:
            found.setdefault((int(words[0]), *words[2:]), candidate)
    return [found[key] for key in sorted(found)]


def check_symbols(library, folder):
    path = pathlib.Path(folder) / "library"
    path.write_bytes(library)
    run = subprocess.run(["nm", "-D", "--defined-only", path], capture_output=True, text=True)
    if run.returncode != 0:
        print("nm is missing or cannot read the library: its names were NOT looked at", file=sys.stderr)
        return
    # small letters are local: a linker may list them, nobody is given them
    fields = [line.split() for line in run.stdout.splitlines()]
    names = {
        name.split("@")[0].lstrip("_" if sys.platform == "darwin" else "")
        for *_, kind, name in fields
        if kind.isupper()
    }
    declared = set(re.findall(r"\b(offpolicy_\w+)\(", (ROOT / "Sources/CInterface/offpolicy.h").read_text()))
    if names != declared:
        failing(f"the library gives too much: {sorted(names - declared)[:5]}, and lacks {sorted(declared - names)[:5]}")
    print(f"{len(names)} names, those of offpolicy.h")


def check_platform(wheel, python):
    claimed = re.search(r"manylinux_2_(\d+)_", wheel.name)
    if sys.platform != "linux":
        print("not Linux: auditwheel was not asked", file=sys.stderr)
        return
    run = subprocess.run([python, "-m", "auditwheel", "show", wheel], capture_output=True, text=True)
    text = " ".join(run.stdout.split())
    if "No module named" in run.stderr:
        print("auditwheel is not installed: the platform tag was NOT checked", file=sys.stderr)
        return
    found = re.search(r'consistent with the following platform tag: "?manylinux_2_(\d+)_', text)
    if run.returncode != 0 or not found:
        failing(f"auditwheel says: {text or run.stderr.strip()}")
    if not claimed or int(found[1]) > int(claimed[1]):
        failing(f"{wheel.name} claims less than manylinux_2_{found[1]}, which auditwheel found")
    print(f"auditwheel: manylinux_2_{found[1]}")


def try_in(python, wheel, folder):
    """The digest of a short run; None where the virtual environment could not be made."""
    version = subprocess.run([python, "--version"], capture_output=True, text=True).stdout.strip()
    environment = pathlib.Path(folder) / re.sub(r"\W", "", python)
    inside = environment / "bin/python"
    made = subprocess.run([python, "-m", "venv", environment], capture_output=True, text=True)
    if made.returncode == 0:
        made = subprocess.run(
            [inside, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", wheel],
            capture_output=True,
            text=True,
        )
    if made.returncode != 0:
        reason = (made.stderr.strip() or made.stdout.strip() or "no reason given").splitlines()[-1]
        print(f"{version}: NOT tried, the wheel and NumPy could not be installed: {reason}", file=sys.stderr)
        return None
    # -I: neither this folder nor PYTHONPATH
    run = subprocess.run(
        [inside, "-I", "-c", TRIAL], capture_output=True, text=True, cwd=folder, env={"PATH": "/usr/bin:/bin"}
    )
    if run.returncode != 0:
        failing(f"{version}: {run.stderr.strip()[-2000:]}")
    print(f"{version}: {run.stdout.strip()}", flush=True)
    shutil.rmtree(environment)
    return run.stdout.strip()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("wheel", nargs="?", type=pathlib.Path)
    parser.add_argument("--python", action="append", help="a Python to try; all at hand where none is given")
    parser.add_argument("--auditwheel", default=sys.executable, help="the Python that has auditwheel")
    options = parser.parse_args()
    wheels = sorted((ROOT / ".build/wheel").glob("*.whl"), key=lambda path: path.stat().st_mtime)
    wheel = options.wheel or (wheels[-1] if wheels else failing("there is no wheel; Scripts/build-wheel.sh makes one"))
    wheel = wheel.resolve()
    size = wheel.stat().st_size
    if size > LIMIT:
        failing(f"{wheel.name} has {size / 1e6:.1f} MB, at most {LIMIT / 1e6:.0f} are allowed")
    if "-py3-none-" not in wheel.name:
        failing(f"{wheel.name} is not for every Python")
    print(f"{wheel.name}, {size / 1e6:.1f} MB")
    with zipfile.ZipFile(wheel) as archive, tempfile.TemporaryDirectory() as folder:
        libraries = [name for name in archive.namelist() if name.endswith((".so", ".dylib"))]
        if len(libraries) != 1 or "offpolicy/py.typed" not in archive.namelist():
            failing(
                f"{wheel.name} holds the libraries {libraries}, and py.typed or not: expected one library and py.typed"
            )
        check_symbols(archive.read(libraries[0]), folder)
        check_platform(wheel, options.auditwheel)
        digests = {python: try_in(python, wheel, folder) for python in options.python or pythons()}
    reached = {digest for digest in digests.values() if digest}
    if len(reached) > 1:
        failing(f"digests differ: {digests}")
    print(f"tried in {sum(digest is not None for digest in digests.values())} of {len(digests)} Pythons")


if __name__ == "__main__":
    main()
