#!/usr/bin/env python3
"""Trains for a while with a buffer that is soon full, and fails if resident memory goes on growing.

    Tests/Faults/memory.py [MINUTES] [ALGORITHM ENVIRONMENT]      30, sac HalfCheetah-v5; Pendulum-v1 needs no libmujoco

Resident memory is read every 5 s, from a minute after the buffer is full. Evaluations, logs and checkpoints go on
meanwhile. The growth is the median of the last tenth of the readings less that of the first tenth; 1 MB is allowed.
"""

import pathlib
import signal
import statistics
import subprocess
import sys
import tempfile
import time

from runs import BINARY

BUFFER, LIMIT = 2_000, 1.0


def resident(process):
    for line in pathlib.Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1000
    sys.exit("memory: the run ended by itself")


def rows(path):
    return len(path.read_text().splitlines()) if path.exists() else 0


def main():
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 30
    algorithm, environment = sys.argv[2:4] or ("sac", "HalfCheetah-v5")
    with tempfile.TemporaryDirectory() as folder:
        run = pathlib.Path(folder) / "run"
        command = [BINARY, "train", algorithm, environment, "--steps", "100000000", "--threads", "1", "--run-directory", run,
                   "--set", f"bufferCapacity={BUFFER}", "--set", "randomSteps=1000", "--set", "hiddenSizes=64,64",
                   "--evaluate-every", "2000", "--evaluation-episodes", "1", "--checkpoint-every", "5000"]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            while rows(run / "evaluations.csv") < 4:  # three evaluations: the buffer was full twice
                resident(process)
                time.sleep(0.5)
            time.sleep(min(60, minutes * 6))
            readings, end = [], time.monotonic() + minutes * 60
            while time.monotonic() < end:
                readings.append(resident(process))
                time.sleep(min(5, minutes * 3))
            evaluations = rows(run / "evaluations.csv") - 1
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()
    tenth = max(1, len(readings) // 10)
    medians = [statistics.median(readings[i:i + tenth]) for i in range(0, len(readings), tenth)]
    first, last = medians[0], medians[-1]
    print(f"memory: {minutes:g} minutes of {algorithm} on {environment}, {evaluations} evaluations: resident MB, tenth by tenth: "
          + ", ".join(f"{megabytes:.2f}" for megabytes in medians))
    if last - first > LIMIT:
        sys.exit(f"memory: resident memory grew by {last - first:.1f} MB, {LIMIT:g} is allowed")


main()
