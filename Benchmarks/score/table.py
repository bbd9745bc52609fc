"""Minutes to each bar from kept results: results.csv has the evaluations of the runs, rates.json what steps and updates cost."""

import csv
import math
import shutil
import statistics
import sys

from contenders import BARS, CONTENDERS, PLAIN
from costs import PEERS, known, step_of, update_of
from runs import evaluations, places, reached, settings_of

COLUMNS = ["environment", "contender", "seed", "step", "updates", "return"]


def keep(arguments):
    """Adds the folder's runs to results.csv, in place of those of the same environment, contender and seed; replaces rates.json."""
    if not known(arguments.work):
        sys.exit("score.py: there are no rates: call `score.py rates` on a quiet machine first")
    path = arguments.into / "results.csv"
    runs = results(arguments.into) if path.exists() else {}
    for environment, contender, seed, folder in places(arguments):
        evaluated = evaluations(folder)
        if not evaluated:
            continue
        settings = settings_of(folder)
        # learners without the setting make one update per step
        first, each = settings["randomSteps"], settings.get("updatesPerStep", 1)
        runs[environment, contender, seed] = [(step, round(max(0, step - first) * each), value) for step, value in evaluated]
    with path.open("w", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(COLUMNS)
        for run in sorted(runs, key=lambda run: (list(BARS).index(run[0]), list(CONTENDERS).index(run[1]), run[2])):
            rows.writerows([*run, step, updates, f"{value:.1f}"] for step, updates, value in runs[run])
    shutil.copy(arguments.work / "rates.json", arguments.into)


def results(folder):
    """(environment, contender, seed): (step, updates, mean return) of each evaluation."""
    runs = {}
    if not (folder / "results.csv").exists():
        sys.exit(f"score.py: there is no results.csv in {folder}: `score.py keep` writes it")
    with (folder / "results.csv").open() as file:
        for row in csv.DictReader(file):
            run = runs.setdefault((row["environment"], row["contender"], int(row["seed"])), [])
            run.append((int(row["step"]), int(row["updates"]), float(row["return"])))
    return runs


class Minutes:
    """The median of some runs' minutes; a lower bound where a run that counts was put aside before it reached the bar."""

    def __init__(self, runs):
        """Of each run its minutes until the bar, or until its last evaluation, and whether it reached the bar."""
        values = [minutes for minutes, _ in runs]
        self.value = statistics.median(values)
        self.is_bound = any(minutes <= statistics.median_high(values) and not reached for minutes, reached in runs)
        self.share = f"{sum(reached for _, reached in runs)} of {len(runs)}"

    def times(self, factor):
        minutes = self.value * factor
        # rounded up it would be no bound
        return f"> {math.floor(10 * minutes) / 10:.1f}" if self.is_bound else f"{minutes:.1f}"


def table(arguments):
    costs = known(arguments.results)
    runs = {}  # (environment, bar), contender: a pair for each seed, see `Minutes`
    for (environment, contender, _), rows in results(arguments.results).items():
        for bar in BARS[environment][0]:
            step = reached([(step, value) for step, _, value in rows], bar)
            steps, updates, _ = rows[-1] if step is None else next(row for row in rows if row[0] == step)
            pair = (minutes(steps, updates, costs, environment, contender), step is not None)
            runs.setdefault(((environment, bar), contender), []).append(pair)
    found = {place: Minutes(pairs) for place, pairs in runs.items()}
    bars = sorted({bar for bar, _ in found}, key=lambda bar: (list(BARS).index(bar[0]), bar[1]))
    print("| contender | " + " | ".join(f"{environment} {bar:,}" for environment, bar in bars) + " | ratio |")
    print("|---" * (len(bars) + 2) + "|")
    # others take as many steps as plain SAC, each of them slower
    for name, factor in costs.get("peers", {}).items():
        cells = [found[bar, PLAIN].times(factor) if (bar, PLAIN) in found else "" for bar in bars]
        print(f"| {PEERS[name]} | " + " | ".join(cells) + f" | {1 / factor:.2f} |")
    for contender in CONTENDERS:
        own = [found.get((bar, contender)) for bar in bars]
        if not any(own):
            continue
        pairs = [(found[bar, PLAIN], it) for bar, it in zip(bars, own) if it and not it.is_bound and (bar, PLAIN) in found]
        ratio = ""
        if pairs:
            least = "≥ " if any(plain.is_bound for plain, _ in pairs) else ""
            ratio = f"{least}{statistics.geometric_mean(plain.value / it.value for plain, it in pairs):.2f} over {len(pairs)}"
        cells = [f"{it.times(1)} ({it.share})" if it else "" for it in own]
        print(f"| {contender} | " + " | ".join(cells) + f" | {ratio} |")
    print("\nMinutes on two threads, the median over seeds, and how many seeds reached the bar; > where runs were put aside before. "
          f"Ratio: the geometric mean of {PLAIN}'s minutes over the contender's, where the contender reached the bar.")


def minutes(steps, updates, costs, environment, contender):
    names = step_of(environment, contender), update_of(environment, contender)
    for name in names:
        if name not in costs:
            sys.exit(f"score.py: there is no rate of {name}: `score.py rates` measures it, on a quiet machine")
    step, update = (costs[name] for name in names)
    return (steps * (step["seconds"] + update["actingSeconds"]) + updates * update["seconds"]) / 60
