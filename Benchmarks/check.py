#!/usr/bin/env python3
"""Fails when an update's share of the processor's peak falls more than 15 % below the committed figure.

    Benchmarks/check.py              compare with Benchmarks/baseline.json
    Benchmarks/check.py --write      measure and write the baseline of this kind of processor

The share is measured by `offpolicy bench`: the fastest tenth of the updates against the fastest tenth of a register-only loop
between them, so it moves little with the clock, with what else the machine does, or from machine to machine of one kind; a kind is
an instruction set. A virtual machine's clock has modes all the same, which move the share by a fifth: the baseline is the lower
quartile of eight measurements, and a case that is too low is measured again twice before it fails. So a loss of a third is always
seen, one of 15 % only in the slower mode.
"""

import json
import pathlib
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
BINARY = ROOT / ".build/release/offpolicy"
BASELINE = ROOT / "Benchmarks/baseline.json"
TOLERANCE = 0.15
TRIES = 3
BASELINE_TRIES = 8

CASES = {
    f"{algorithm}-{threads}": ["--algorithm", algorithm, "--threads", str(threads)]
    for algorithm in ("sac", "td3", "ddpg")
    for threads in (1, 2)
}


def measure(arguments):
    command = [BINARY, "bench", "--json", "--seconds", "2", "--buffer", "200000", *arguments]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def main():
    if not BINARY.exists():
        sys.exit("Benchmarks/check.py: build first: ./offpolicy --version")
    baseline = json.loads(BASELINE.read_text()) if BASELINE.exists() else {}
    if "--write" in sys.argv[1:]:
        for name, arguments in CASES.items():
            results = [measure(arguments) for _ in range(BASELINE_TRIES)]
            kind = results[0]["processor"].rsplit(", ", 1)[1]
            share = statistics.quantiles((r["undisturbedFractionOfPeak"] for r in results), n=4)[0]
            baseline.setdefault(kind, {})[name] = round(share, 3)
        BASELINE.write_text(json.dumps(baseline, indent=2) + "\n")
        return
    failed = []
    for name, arguments in CASES.items():
        best = 0.0
        for _ in range(TRIES):
            result = measure(arguments)
            kind = result["processor"].rsplit(", ", 1)[1]
            if kind not in baseline:
                print(f"Benchmarks/check.py: no baseline for {kind}: nothing to compare")
                return
            expected = baseline[kind].get(name, 0)
            best = max(best, result["undisturbedFractionOfPeak"])
            if best >= (1 - TOLERANCE) * expected:
                break
        verdict = "ok" if best >= (1 - TOLERANCE) * expected else "too slow"
        print(f"{name:8} {100 * best:5.1f} % of peak, committed {100 * expected:5.1f} %: {verdict}")
        if verdict != "ok":
            failed.append(name)
    if failed:
        sys.exit(f"Benchmarks/check.py: below 85 % of the committed share of peak: {', '.join(failed)}")


main()
