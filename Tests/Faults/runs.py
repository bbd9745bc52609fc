"""What the scripts of this folder share: a small run, how to start it, and what it leaves."""

import json
import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("OFFPOLICY_PROGRAM") or ROOT / ".build/release/offpolicy")
LOGS = ("episodes.csv", "metrics.csv", "evaluations.csv")


def settings(steps, evaluate, checkpoint, hidden="8", random_steps=20):
    return ["--set", f"hiddenSizes={hidden}", "--set", "batchSize=8", "--set", f"randomSteps={random_steps}",
            "--steps", str(steps), "--evaluate-every", str(evaluate), "--evaluation-episodes", "1",
            "--checkpoint-every", str(checkpoint), "--threads", "1"]


def run(command, prefix=(), binary=None, **options):
    """Runs the program to its end; its exit status and what it said."""
    return subprocess.run([*prefix, binary or BINARY, *map(str, command)], capture_output=True, text=True,
                          errors="replace", cwd=ROOT, **options)


def contents(folder):
    """Digest of the learned parameters, step, and the logs but for their seconds."""
    report = json.loads(subprocess.run([BINARY, "inspect", folder, "--json"], check=True, capture_output=True).stdout)
    logs = {name: [row.rsplit(",", 1)[0] for row in (folder / name).read_text().splitlines()] for name in LOGS}
    return report["digest"], report["step"], logs


def has_checkpoint(folder):
    return any((folder / "checkpoint" / name).exists() for name in ("state.safetensors", "state-previous.safetensors"))


def scratch():
    """A folder in memory where there is one: thousands of syncs need no disk."""
    return "/dev/shm" if os.path.isdir("/dev/shm") and os.access("/dev/shm", os.W_OK) else None


def need_strace(required):
    """Ends the script where strace is missing or may not trace: with an error only if it was required."""
    reason = None
    if not shutil.which("strace"):
        reason = "strace is missing"
    elif subprocess.run(["strace", "-o", "/dev/null", "true"], capture_output=True).returncode:
        reason = "strace may not trace processes here"
    if reason:
        print(f"{pathlib.Path(sys.argv[0]).name}: NOT RUN: {reason}; install it, or allow ptrace", file=sys.stderr)
        sys.exit(1 if required else 0)
    if not BINARY.exists():
        sys.exit(f"{BINARY} is missing: build it with ./offpolicy --version")
