"""Runs ours and the peers in turn, round after round, and prints one table. Started by Benchmarks/peers/run.

    run [--what U,E,W,P] [--threads 1,2] [--rounds 10] [--only NAME,...] [--quick] [--log FILE]

U  updates alone: 17 observations, 6 actions, 256 × 256, batch 256, 1,000,000 transitions; 200 untimed, 2,000 timed
E  20,000 steps of HalfCheetah-v5 with one update each, after 5,000 random ones that do not count
W  10,000 steps of Pendulum-v1 at RLtools' own sizes, 64 × 64 and batch 100, from the process's start to its end
P  steps from Python, in three environments and one that does nothing, see from_python.py; of the program's own rate too:
   with built-in environments, with `gym:` where there is none, and with --overlap in the slow one

Every measurement is its own process, pinned to as many processors as it has threads. A round measures each contender
once; the next round begins with the next contender. Measurements during which other machines took more than 0.5 % of
the processors (steal) are dropped and counted. The table gives medians, the smallest and the largest, the ratio of
medians to ours with a bootstrap 95 % interval over rounds, and for U the percentage of the processor's peak: useful
FLOPs of the minimal algorithm, the same number for everybody, over what `offpolicy bench` measures in the same round.
"""

import argparse
import datetime
import json
import os
import pathlib
import platform
import random
import shutil
import statistics
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parents[1]
OURS = str(ROOT / ".build/release/offpolicy")
BUILT = pathlib.Path(sys.prefix) / "rltools"
PYTHON = sys.executable

S, A, H, B = 17, 6, 256, 256


def useful_flops(S, A, H, B):
    """FLOPs of one SAC update that any implementation must do: multiplications and additions of matrix products.

    Both input gradients of the policy step are counted; routing each row through its smaller critic saves one of them.
    """
    critic = 2 * B * ((S + A) * H + H * H + H)
    policy = 2 * B * (S * H + H * H + 2 * A * H)
    critic_hidden = 2 * B * (H * H + H)  # back through a critic to its first layer's output
    policy_hidden = 2 * B * (H * H + 2 * A * H)
    target = policy + 2 * critic
    critics = 2 * critic + 2 * critic + 2 * critic_hidden
    actor = policy + 2 * critic + 2 * critic_hidden + 4 * B * A * H + policy + policy_hidden
    return target + critics + actor


# what each contender really computes, over the minimum (performance notes; read in their sources)
DOES = {
    "offpolicy": "minimum less one input gradient of a critic (rows routed) and, on vectors, what a rectifier made zero",
    "sb3": "critics' weight gradients in the policy step, too",
    "sbx": "minimum",
    "sbx-batched": "minimum; 50 updates a call",
    "torch-eager": "minimum",
    "torch-compile": "minimum",
    "rltools-openblas": "the target twice",
    "rltools-mkl": "the target twice",
}


def command(contender, what, threads, quick):
    """The command line, and what it needs in its environment."""
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    environment = {name: str(threads) for name in names}
    if what.startswith("P-"):
        return from_python(contender, what[2:], threads, quick, environment)
    if contender == "offpolicy":
        if what == "U":
            return [OURS, "bench", "--algorithm", "sac", "--observations", S, "--actions", A, "--hidden", f"{H},{H}",
                    "--batch", B, "--threads", threads, "--json"], environment
        run = pathlib.Path(sys.prefix) / "run"
        shutil.rmtree(run, ignore_errors=True)
        if what == "E":
            steps = 400 + 50 if quick else 25_000
            return [OURS, "train", "sac", "HalfCheetah-v5", "--steps", steps, "--threads", threads, "--seed", 1,
                    "--set", f"randomSteps={400 if quick else 5_000}", "--evaluate-every", 0, "--run-directory", run], environment
        return [OURS, "train", "sac", "Pendulum-v1", "--preset", "none", "--steps", 10_000, "--threads", threads, "--seed", 1,
                "--set", "hiddenSizes=[64,64]", "--set", "batchSize=100", "--set", "randomSteps=100",
                "--set", "policyLearningRate=0.001", "--set", "criticLearningRate=0.001",
                "--set", "temperatureLearningRate=0.001", "--evaluate-every", 0, "--run-directory", run], environment
    if contender.startswith("rltools"):
        library = contender + ("" if threads == 1 or contender != "rltools-mkl" else "-threads")
        sizes = ([10, 50] if quick else [200, 2000]) if what == "U" else []
        return [BUILT / library, what, threads, *sizes], environment
    if what == "U":
        sizes = [10, 50, 20_000] if quick else []
        return [PYTHON, HERE / "updates.py", contender, threads, *sizes], environment
    sizes = [400, 50] if quick else []
    return [PYTHON, HERE / "endtoend.py", contender, threads, *sizes], environment


# of the program in what P: environment, further arguments, steps that are random and not timed, steps that are timed
PROGRAM_FROM_PYTHON = {
    "pendulum": ("Pendulum-v1", ["--set", "hiddenSizes=[64,64]"], 1_000, 10_000),
    "cheetah": ("HalfCheetah-v5", [], 1_000, 3_000),
    "slow": (f"python:{HERE / 'slow_environment.py'}:make",
             ["--environments", 4, "--workers", 4, "--python", PYTHON, "--set", "hiddenSizes=[64,64]"], 1_000, 3_000),
}


def from_python(contender, case, threads, quick, environment):
    """As `command`, of what P."""
    if not contender.startswith("offpolicy") or contender == "offpolicy-python":
        environment["PYTHONPATH"] = str(ROOT / "Python")
        return [PYTHON, HERE / "from_python.py", contender, case, threads, 0.3 if quick else 6], environment
    run = pathlib.Path(sys.prefix) / "run"
    shutil.rmtree(run, ignore_errors=True)
    id, more, first, timed = PROGRAM_FROM_PYTHON[case]
    if contender == "offpolicy-gym":
        id, more = "gym:" + id, [*more, "--python", PYTHON]
    steps = first + (100 if quick else timed)
    return [OURS, "train", "sac", id, "--steps", steps, "--threads", threads, "--seed", 1, *more, "--evaluate-every", 0,
            "--preset", "none", "--set", f"randomSteps={first}", "--run-directory", run,
            *(["--overlap"] if contender == "offpolicy-overlap" else [])], environment


CONTENDERS = {
    "U": ["offpolicy", "rltools-openblas", "rltools-mkl", "sbx", "sbx-batched", "torch-eager", "torch-compile", "sb3"],
    "E": ["offpolicy", "sbx", "torch-eager", "torch-compile", "sb3"],
    "W": ["offpolicy", "rltools-openblas", "rltools-mkl"],
    "P-pendulum": ["offpolicy", "offpolicy-python", "sbx", "torch-eager", "sb3"],
    "P-cheetah": ["offpolicy", "offpolicy-gym", "offpolicy-python", "sbx", "torch-eager", "sb3"],
    "P-slow": ["offpolicy", "offpolicy-overlap", "offpolicy-python", "sbx", "torch-eager", "sb3"],
    "P-null": ["offpolicy-python", "sbx", "torch-eager", "sb3"],
}
UNIT = {what: "updates/s" if what == "U" else "steps/s" for what in CONTENDERS}
# whom the others are compared with
OURS_IN = {what: "offpolicy-python" if what.startswith("P-") else "offpolicy" for what in CONTENDERS}


def ticks():
    """The processors' time in all, and that part which other machines took, in ticks; zeros where it is not told."""
    try:
        fields = [int(x) for x in pathlib.Path("/proc/stat").read_text().split("\n")[0].split()[1:]]
        return sum(fields[:8]), fields[7]
    except OSError:
        return 0, 0


def measure(contender, what, threads, quick):
    """One process, one result: what it printed, and its rate."""
    line, environment = command(contender, what, threads, quick)
    line = [str(x) for x in line]
    if shutil.which("taskset"):
        line = ["taskset", "-c", ",".join(map(str, range(threads))), *line]
    before, since = ticks(), time.perf_counter()
    # in .deps/peers, for what a contender may leave behind
    done = subprocess.run(line, env=os.environ | environment, capture_output=True, text=True, cwd=sys.prefix)
    seconds, after = time.perf_counter() - since, ticks()
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(line)}: exit {done.returncode}\n{done.stderr[-2000:]}")
    result = {}
    if OURS in line:
        result = json.loads(done.stdout or "{}")
    else:
        for text in reversed(done.stdout.strip().splitlines()):
            if text.startswith("{"):
                result = json.loads(text)
                break
    # W is the process from start to end for everybody; E of ours, see `end_to_end_of_ours`
    rate = {"U": result.get("updatesPerSecond"), "W": 10_000 / seconds}.get(what, result.get("stepsPerSecond"))
    total = after[0] - before[0]
    result |= {
        "contender": contender, "what": what, "threads": threads, "rate": rate, "processSeconds": seconds,
        "steal": (after[1] - before[1]) / total if total else 0, "load": os.getloadavg()[0],
        "at": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
    }
    return result


def end_to_end_of_ours(contender, what, threads, quick):
    """The program is timed from outside: the whole run less one that stops soon after the random steps."""
    whole = measure(contender, what, threads, quick)
    line, environment = command(contender, what, threads, quick)
    line = [str(x) for x in line]
    steps = int(line[line.index("--steps") + 1])
    first = int(next(x for x in line if x.startswith("randomSteps=")).split("=")[1])
    # some updates: a run that learns nothing is refused
    first, timed = first + 8, steps - first - 8
    line[line.index("--steps") + 1] = str(first)
    if shutil.which("taskset"):
        line = ["taskset", "-c", ",".join(map(str, range(threads))), *line]
    since = time.perf_counter()
    subprocess.run(line, env=os.environ | environment, capture_output=True, check=True, cwd=sys.prefix)
    return whole | {"rate": timed / max(1e-9, whole["processSeconds"] - (time.perf_counter() - since))}


def whats(given):
    """The names of `CONTENDERS` that are asked for; P is all of P-…."""
    return [name for part in given.split(",") for name in CONTENDERS if name == part or name.startswith(part + "-")]


def interval(ours, theirs):
    """Bootstrap 95 % interval of the ratio of medians, ours over theirs."""
    draw = random.Random(1)
    ratios = sorted(
        statistics.median(draw.choices(ours, k=len(ours))) / statistics.median(draw.choices(theirs, k=len(theirs)))
        for _ in range(2000)
    )
    return ratios[50], ratios[1949]


def table(results, what, threads):
    rows = [r for r in results if r["what"] == what and r["threads"] == threads and r["rate"]]
    kept = [r for r in rows if r["steal"] <= 0.005]
    rates = {c: [r["rate"] for r in kept if r["contender"] == c] for c in CONTENDERS[what]}
    rates = {c: values for c, values in rates.items() if values}
    peaks = [r["peakGFLOPS"] for r in kept if r.get("peakGFLOPS")]
    peak = statistics.median(peaks) if peaks else None
    print(f"\n### {what}, {threads} thread{'s' if threads > 1 else ''}: {UNIT[what]}\n")
    print("| contender | median | smallest – largest | rounds | ours / it | 95 % | of peak | computes |")
    print("|---|---|---|---|---|---|---|---|")
    ours = rates.get(OURS_IN[what])
    for contender, values in sorted(rates.items(), key=lambda item: -statistics.median(item[1])):
        middle = statistics.median(values)
        ratio = span = share = "–"
        if ours:
            ratio = f"{statistics.median(ours) / middle:.2f}"
            low, high = interval(ours, values)
            span = f"{low:.2f} – {high:.2f}" if contender != OURS_IN[what] else "–"
        if what == "U" and peak:
            share = f"{useful_flops(S, A, H, B) * middle / peak / 1e7:.0f} %"
        does = DOES[contender] if what == "U" else ""
        print(f"| {contender} | {middle:.1f} | {min(values):.1f} – {max(values):.1f} | {len(values)} "
              f"| {ratio} | {span} | {share} | {does} |")
    if peak and what == "U":
        print(f"\nPeak of {threads} thread{'s' if threads > 1 else ''}: {peak:.1f} GFLOP/s, median of the same rounds;"
              f" one update is {useful_flops(S, A, H, B) / 1e6:.0f} MFLOP.")
    if len(kept) < len(rows):
        print(f"\n{len(rows) - len(kept)} of {len(rows)} measurements dropped for steal.")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--what", default="U")
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--only", default="")
    parser.add_argument("--quick", action="store_true", help="a few updates each: only that everything runs")
    parser.add_argument("--log", default=None, help="where the measurements go, one line of JSON each")
    options = parser.parse_args()
    rounds = 1 if options.quick else options.rounds
    only = options.only.split(",") if options.only else None
    stamp = datetime.datetime.now().strftime("%Y%m%d-%H%M%S")
    log = pathlib.Path(options.log or pathlib.Path(sys.prefix) / f"results-{stamp}.jsonl")

    present = os.path.exists(OURS)
    if not present:
        print(f"{OURS} is missing: `swift build -c release` first; going on without ours", file=sys.stderr)
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} processors, load {os.getloadavg()[0]:.2f}")
    print(f"log: {log}")
    results, failures = [], []
    with log.open("a") as file:
        for what in whats(options.what):
            for threads in map(int, options.threads.split(",")):
                contenders = [c for c in CONTENDERS[what] if (not only or c in only) and (present or not c.startswith("offpolicy"))]
                for number in range(rounds):
                    turn = number % len(contenders)
                    for contender in contenders[turn:] + contenders[:turn]:
                        if (contender, what, threads) in failures:
                            continue
                        try:
                            is_program = contender.startswith("offpolicy") and contender != "offpolicy-python"
                            from_outside = is_program and (what == "E" or what.startswith("P-"))
                            result = (end_to_end_of_ours(contender, what, threads, options.quick) if from_outside
                                      else measure(contender, what, threads, options.quick))
                        except (RuntimeError, subprocess.CalledProcessError, OSError) as error:
                            print(f"{contender} {what} failed and is left out: {error}", file=sys.stderr)
                            failures.append((contender, what, threads))
                            continue
                        results.append(result)
                        file.write(json.dumps(result) + "\n")
                        file.flush()
                        print(f"{what} {threads} round {number + 1}: {contender} {result['rate']:.1f}", file=sys.stderr)
                if not options.quick:
                    table(results, what, threads)
    if options.quick:
        print(f"{len(results)} pieces ran; their times mean nothing")
    if failures:
        raise SystemExit(f"\n{len(failures)} contenders failed, see above")


if __name__ == "__main__":
    main()
