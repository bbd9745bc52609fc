"""What a step and an update cost alone on a quiet machine, and how much slower other programs are."""

import json
import statistics
import subprocess
import sys

from contenders import SIZES, contender_of, costly, flags

PEERS = {"sbx": "SBX, SAC", "sb3": "Stable-Baselines3, SAC"}  # names of Benchmarks/peers/compare.py, and in the table
PEERS_WHAT = "P-cheetah"


def rates(arguments):
    wanted = {}  # contenders share costs: each is measured once
    for environment in arguments.environments:
        for contender in arguments.contenders:
            wanted[step_of(environment, contender)] = step_costs, environment, contender
            wanted[update_of(environment, contender)] = update_costs, environment, contender
    for name, (measure, environment, contender) in wanted.items():
        if arguments.again or name not in known(arguments.work):
            costs = measure(arguments.program, environment, contender)
            remember(arguments.work, {name: costs})
            print(name, costs, file=sys.stderr, flush=True)


def step_of(environment, contender):
    """The name of a step's cost: environments that step together use both threads."""
    return f"{environment} x {contender_of(contender)['environments']}"


def update_of(environment, contender):
    """The name of an update's cost: contenders that differ in nothing that costs time share it, so that noise cannot part them."""
    settings = sorted(f"{name}={value}" for name, value in costly(contender).items())
    return " ".join([environment, contender_of(contender)["algorithm"], *settings])


def step_costs(program, environment, contender):
    command = ["environment", "speed", environment, "--environments", str(contender_of(contender)["environments"]),
               "--threads", "2", "--json"]
    # the best of three: other work on the machine only takes away
    return {"seconds": 1 / max(output(program, *command)["stepsPerSecond"] for _ in range(3))}


def update_costs(program, environment, contender):
    observations, actions = sizes(program, environment)
    runs = [
        output(program, "bench", "--algorithm", contender_of(contender)["algorithm"], "--observations", observations,
               "--actions", actions, *flags(costly(contender)), "--threads", "2", "--buffer", "200000", "--json")
        for _ in range(3)
    ]
    return {"seconds": min(run["medianMicroseconds"] for run in runs) / 1e6,
            "actingSeconds": min(run["actingMicroseconds"] for run in runs) / 1e6}


def sizes(program, environment):
    if environment in SIZES:
        return SIZES[environment]
    entry = output(program, "list", environment, "--json")["environments"][0]
    return str(entry["observationSize"]), entry["actions"].split()[0]  # such as "6 in [-1, 1]"


def output(program, *command):
    result = subprocess.run([program, *command], capture_output=True, text=True)
    if result.returncode:
        sys.exit(f"score.py: offpolicy {' '.join(command)}: {result.stderr.strip()}")
    return json.loads(result.stdout)


def peers(arguments):
    """Ours over theirs: the ratio of the medians of HalfCheetah-v5's steps per second on two threads, each with its update.

    Rounds in which other machines took time count, too: they slow all programs down.
    """
    rows = [json.loads(line) for line in arguments.log.read_text().splitlines()]
    rows = [row for row in rows if row["what"] == PEERS_WHAT and row["threads"] == 2 and row["rate"]]
    medians = {name: statistics.median(row["rate"] for row in rows if row["contender"] == name)
               for name in {row["contender"] for row in rows}}
    if missing := {"offpolicy", *PEERS} - set(medians):
        sys.exit(f"score.py: {arguments.log} has no {PEERS_WHAT} on two threads of {', '.join(sorted(missing))}")
    ratios = {name: medians["offpolicy"] / medians[name] for name in PEERS}
    remember(arguments.work, {"peers": ratios})
    print(ratios, file=sys.stderr)


def known(folder):
    path = folder / "rates.json"
    return json.loads(path.read_text()) if path.exists() else {}


def remember(folder, costs):
    (folder / "rates.json").write_text(json.dumps(known(folder) | costs, indent=1) + "\n")
