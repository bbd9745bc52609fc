#!/usr/bin/env python3
"""entropy — what SAC, TD3 and DDPG find on MultiGoal-v0: runs, tables and pictures of Guides/Entropy.md.

    Scripts/figures/entropy.py                       trains what is missing in runs/entropy, then prints the tables and writes the pictures
    Scripts/figures/entropy.py --runs FOLDER         keeps the runs elsewhere
    Scripts/figures/entropy.py --program PATH        another build of offpolicy
    Scripts/figures/entropy.py --seeds 2 --variants sac,td3       less of it; the pictures are those of what there is

A run that is interrupted goes on where it was. Python 3, no packages.
"""

import argparse
import array
import ast
import csv
import math
import pathlib
import statistics
import subprocess
import sys
import zipfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
PICTURES = ROOT / "Guides/Pictures"
TASK = "MultiGoal-v0"
STEPS = 20_000
WALKS = 64  # episodes that are counted
DRAWN = 32  # of them, in the pictures
NOISE = 0.5  # of the disturbed walks, in units of [−1, 1]

# the task's own numbers, for the best return there is
GOALS = [(5, 0), (-5, 0), (0, 5), (0, -5)]
RADIUS, LIMIT = 1, 30

COMMON = ["hiddenSizes=128,128"]
FIXED = "temperature.fixed.value="
VARIANTS = {
    "sac": ("SAC, H̄ = −2", ["sac"], []),
    "sac-entropy-0": ("SAC, H̄ = 0", ["sac"], ["targetEntropy=0"]),
    "sac-0": ("SAC, α = 0", ["sac"], [FIXED + "0"]),
    "sac-1": ("SAC, α = 1", ["sac"], [FIXED + "1"]),
    "sac-3": ("SAC, α = 3", ["sac"], [FIXED + "3"]),
    "sac-10": ("SAC, α = 10", ["sac"], [FIXED + "10"]),
    "sac-30": ("SAC, α = 30", ["sac"], [FIXED + "30"]),
    "td3": ("TD3", ["td3"], []),
    "ddpg": ("DDPG", ["ddpg"], []),
}


def name(variant):
    return VARIANTS[variant][0]


def draws(variant):
    """Whether its policies draw their actions."""
    return VARIANTS[variant][1] == ["sac"]


# runs


def call(program, *arguments):
    result = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True)
    if result.returncode:
        sys.exit(f"entropy: {' '.join(map(str, arguments))}: {result.stderr.strip()[-300:]}")
    return result.stdout


def train(options, variant, seed):
    _, algorithm, settings = VARIANTS[variant]
    run = options.runs / f"{variant}-seed{seed}"
    if not run.exists():
        sets = [word for setting in COMMON + settings for word in ("--set", setting)]
        call(options.program, "train", *algorithm, TASK, "--steps", STEPS, "--seed", seed, "--threads", 1, *sets,
             "--evaluate-every", 500, "--run-directory", run)  # fmt: skip
    elif finished(run) < STEPS:
        call(options.program, "resume", run)
    return run


def finished(run):
    rows = list(csv.DictReader(open(run / "evaluations.csv"))) if (run / "evaluations.csv").exists() else []
    return int(rows[-1]["step"]) if rows else 0


# walks


def columns(path):
    """The arrays of a .npz file, as lists of rows."""
    arrays = {}
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if name.startswith("metadata"):
                continue
            data = archive.read(name)
            start = 10 + int.from_bytes(data[8:10], "little")
            header = ast.literal_eval(data[10:start].decode())
            code = {"<f4": "f", "|b1": "b", "|u1": "B"}[header["descr"]]
            flat = array.array(code, data[start:])
            width = header["shape"][1] if len(header["shape"]) > 1 else 0
            arrays[name.removesuffix(".npy")] = (
                [flat[i : i + width] for i in range(0, len(flat), width)] if width else flat
            )
    return arrays


class Walk:
    def __init__(self, start):
        self.points, self.reward, self.goal = [tuple(start)], 0.0, None


def walks(options, run, kind, *flags):
    """The first episodes of a policy in the task: where they went, what they earned, which goal they reached."""
    path = run / f"{kind}.npz"
    if not path.exists():
        call(options.program, "collect", run, TASK, "--steps", WALKS * LIMIT, "--seed", 1_000_000, "--out", path, *flags)
    data, found, walk = columns(path), [], None
    for i, place in enumerate(data["next_observations"]):
        walk = walk or Walk(data["observations"][i])
        walk.points.append(tuple(place))
        walk.reward += data["rewards"][i]
        if data["terminals"][i]:
            walk.goal = min(range(4), key=lambda g: math.dist(place, GOALS[g]))
        if data["terminals"][i] or data["timeouts"][i]:
            found.append(walk)
            walk = None
    return found[:WALKS]


def goals(found):
    """How many walks ended at each goal."""
    return [sum(walk.goal == goal for walk in found) for goal in range(4)]


def best_return():
    """The best return from the origin: straight to a goal; dynamic programming on hundredths, exact to that grid."""
    count, goal = 500, 100 * (5 - RADIUS) + 1
    values = [0.0] * (count + 1)
    for _ in range(LIMIT):
        following = []
        for i in range(count + 1):
            best = -math.inf
            for j in range(i, min(count, i + 100) + 1):
                speed, distance = (j - i) / 100, 5 - j / 100
                reward = -30 * speed * speed - distance * distance
                best = max(best, reward + (10 if j >= goal else values[j]))
            following.append(best)
        values = following
    return values[0]


# tables


def summary(values, digits=1):
    spread = statistics.stdev(values) if len(values) > 1 else 0
    return f"{statistics.mean(values):.{digits}f} ± {spread:.{digits}f}".replace("-", "−")


def last_rows(run, column, rows=5):
    table = list(csv.DictReader(open(run / "metrics.csv")))[-rows:]
    values = [float(row[column]) for row in table if row[column] not in ("", "nan")]
    return statistics.mean(values) if values else math.nan


def curve(run):
    return [(int(row["step"]), float(row["return_mean"])) for row in csv.DictReader(open(run / "evaluations.csv"))]


def found_by_seed(runs, kind):
    return ", ".join(str(sum(n > 0 for n in goals(run[kind]))) for run in runs)


def arrived(runs, kind):
    return f"{sum(sum(goals(run[kind])) for run in runs)} of {sum(len(run[kind]) for run in runs)}"


def to_nearest(runs, kind):
    """How many walks ended at the goal that was nearest to their start."""
    found = [walk for run in runs for walk in run[kind] if walk.goal is not None]
    return sum(walk.goal == min(range(4), key=lambda g: math.dist(walk.points[0], GOALS[g])) for walk in found)


def returns(runs, kind):
    return summary([statistics.mean(walk.reward for walk in run[kind]) for run in runs])


def table(head, rows):
    print("\n| " + " | ".join(head) + " |\n|" + "---|" * len(head))
    for row in rows:
        print("| " + " | ".join(map(str, row)) + " |")


def report(results, best):
    bound = 1.25 * best
    print(f"best return from the origin: {best:.1f}; bound of the last table: {bound:.1f}")
    table(
        ["policy", "goals found, by seed", "walks that arrive", "return", "α", "entropy"],
        [
            [name(v), found_by_seed(runs, "drawn"), arrived(runs, "drawn"), returns(runs, "drawn")]
            + ([summary([run[column] for run in runs], 2) for column in ("temperature", "entropy")] if draws(v) else ["–"] * 2)
            for v, runs in results.items()
        ],
    )
    table(
        ["policy, mean action", "goals found, by seed", "walks that arrive", "at the nearest goal", "return"]
        + ["with noise: goals", "walks that arrive"],
        [
            [name(v), found_by_seed(runs, "mean"), arrived(runs, "mean"), to_nearest(runs, "mean"), returns(runs, "mean")]
            + [found_by_seed(runs, "disturbed"), arrived(runs, "disturbed")]
            for v, runs in results.items()
        ],
    )
    table(
        ["policy, mean action", "first evaluation above the bound, by seed", "worst one after half of the steps, by seed"],
        [
            [
                name(v),
                ", ".join(str(next((step for step, value in run["curve"] if value > bound), "never")) for run in runs),
                ", ".join(f"{min(value for step, value in run['curve'] if step > STEPS / 2):.0f}" for run in runs).replace("-", "−"),
            ]
            for v, runs in results.items()
        ],
    )
    print("\nwalks at each goal (+x, −x, +y, −y), by seed")
    for v, runs in results.items():
        for kind in KINDS:
            print(f"  {name(v):18} {kind:10}", *(goals(run[kind]) for run in runs))


# pictures

STYLE = """<style>
text { font: 12px sans-serif; fill: #333 } .small { font-size: 10px; fill: #666 } .title { font-weight: bold }
.walk { fill: none; stroke-width: 1; stroke-opacity: 0.45 } .goal { fill: none; stroke: #333 } .frame { fill: #fff; stroke: #bbb }
.curve { fill: none; stroke-width: 1.3; stroke-opacity: 0.8 } .grid { stroke: #ddd } .mark { stroke: #c33; stroke-dasharray: 4 3 }
</style>"""
COLOURS = ["#1b6ca8", "#c8553d", "#3a7d44", "#8e5ea2"]  # by goal
LOST = "#999"


def svg(title, width, height, body):
    PICTURES.mkdir(exist_ok=True)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">'
    background = f'<rect width="{width}" height="{height}" fill="#fff"/>'
    (PICTURES / f"{title}.svg").write_text("\n".join([head, STYLE, background, *body, "</svg>"]) + "\n")
    print(f"wrote Guides/Pictures/{title}.svg")


def panel(found, left, top, size):
    """One square of the plane, [−7, 7]², with walks coloured by the goal that they reached."""

    def place(point):
        return f"{left + (point[0] + 7) / 14 * size:.1f},{top + (7 - point[1]) / 14 * size:.1f}"

    yield f'<rect class="frame" x="{left}" y="{top}" width="{size}" height="{size}"/>'
    for walk in found[:DRAWN]:
        colour = LOST if walk.goal is None else COLOURS[walk.goal]
        yield f'<polyline class="walk" stroke="{colour}" points="{" ".join(map(place, walk.points))}"/>'
    for goal in GOALS:
        x, y = place(goal).split(",")
        yield f'<circle class="goal" cx="{x}" cy="{y}" r="{size / 14 * RADIUS:.1f}"/>'


def draw_walks(results, title, kinds, variants):
    """Rows are policies, columns seeds."""
    size, gap, left, top = 130, 24, 120, 24
    rows = [(variant, kind) for variant in variants if variant in results for kind in kinds[variant]]
    body = []
    for column in range(options.seeds):
        body.append(f'<text x="{left + column * (size + 8) + size / 2}" y="16" text-anchor="middle">seed {column}</text>')
    for row, (variant, kind) in enumerate(rows):
        y = top + row * (size + gap)
        body.append(f'<text class="title" x="6" y="{y + size / 2}">{name(variant)}</text>')
        body.append(f'<text class="small" x="6" y="{y + size / 2 + 16}">{KINDS[kind]}</text>')
        for column, run in enumerate(results[variant]):
            x, counts = left + column * (size + 8), goals(run[kind])
            body += panel(run[kind], x, y, size)
            reached, count = sum(n > 0 for n in counts), sum(counts)
            body.append(
                f'<text class="small" x="{x + size / 2}" y="{y + size + 13}" text-anchor="middle">'
                f"{reached} goal{'' if reached == 1 else 's'}, {count} of {len(run[kind])} walks</text>"
            )
    svg(title, left + options.seeds * (size + 8) + 6, top + len(rows) * (size + gap), body)


KINDS = {"drawn": "drawn actions", "mean": "mean action", "disturbed": f"mean, noise {NOISE}"}


def draw_curves(results, best, variants):
    """Return of the evaluations against steps: a panel each, a line for each seed."""
    width, height, left, top, gap, low = 230, 120, 50, 30, 44, -700
    variants = [variant for variant in variants if variant in results]
    body = []
    for index, variant in enumerate(variants):
        x, y = left + index % 3 * (width + gap), top + index // 3 * (height + 56)

        def place(point):
            return f"{x + point[0] / STEPS * width:.1f},{y + (min(max(point[1], low), 0) / low) * height:.1f}"

        body.append(f'<text class="title" x="{x}" y="{y - 8}">{name(variant)}</text>')
        body.append(f'<rect class="frame" x="{x}" y="{y}" width="{width}" height="{height}"/>')
        for value in range(0, low - 1, -200):
            level = place((0, value)).split(",")[1]
            body.append(f'<line class="grid" x1="{x}" y1="{level}" x2="{x + width}" y2="{level}"/>')
            body.append(f'<text class="small" x="{x - 4}" y="{float(level) + 4}" text-anchor="end">{str(value).replace("-", "−")}</text>')
        level = place((0, best)).split(",")[1]
        body.append(f'<line class="mark" x1="{x}" y1="{level}" x2="{x + width}" y2="{level}"/>')
        for step in (0, STEPS // 2, STEPS):
            body.append(
                f'<text class="small" x="{x + step / STEPS * width}" y="{y + height + 14}" text-anchor="middle">{step:,}</text>'
            )
        for seed, run in enumerate(results[variant]):
            colour = COLOURS[seed % len(COLOURS)] if seed < len(COLOURS) else "#444"
            body.append(f'<polyline class="curve" stroke="{colour}" points="{" ".join(map(place, run["curve"]))}"/>')
    rows = (len(variants) + 2) // 3
    svg("entropy-learning", left + 3 * (width + gap), top + rows * (height + 56), body)


def main():
    best, results = best_return(), {}
    options.runs.mkdir(parents=True, exist_ok=True)
    # seeds outside: an interrupted script has all policies of the first seeds
    runs = {(variant, seed): train(options, variant, seed) for seed in range(options.seeds) for variant in options.variants}
    for variant in options.variants:
        results[variant] = []
        for seed in range(options.seeds):
            run = runs[variant, seed]
            results[variant].append({
                "drawn": walks(options, run, "drawn"),
                "mean": walks(options, run, "mean", "--deterministic"),
                "disturbed": walks(options, run, "disturbed", "--deterministic", "--noise", NOISE),
                "curve": curve(run),
                "temperature": last_rows(run, "temperature"),
                "entropy": last_rows(run, "entropy"),
            })  # fmt: skip
    report(results, best)
    kinds = {variant: ["drawn" if draws(variant) else "mean"] for variant in VARIANTS}
    draw_walks(results, "entropy-walks", kinds, ["sac", "sac-entropy-0", "td3", "ddpg"])
    draw_walks(results, "entropy-temperatures", kinds, ["sac-0", "sac-1", "sac-3", "sac-10", "sac-30"])
    draw_curves(results, best, list(VARIANTS))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=pathlib.Path, default=ROOT / "runs/entropy")
    parser.add_argument("--program", type=pathlib.Path, default=ROOT / ".build/release/offpolicy")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--variants", type=lambda text: text.split(","), default=list(VARIANTS))
    options = parser.parse_args()
    main()
