#!/usr/bin/env python3
"""Writes Guides/Pictures/policy-gradients.svg, and prints the tables of Guides/PolicyGradients.md, from policy-gradients.json.

    OFFPOLICY_GRADIENT_VARIANCES=$PWD/Guides/Pictures/policy-gradients.json ./test --filter GradientVarianceTests
    Scripts/figures/policy-gradients.py

The first line trains and measures: a few minutes. The second needs Python alone, no package.
"""

import json
import math
import pathlib

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "Guides/Pictures"
WIDTH, HEIGHT = 900, 380
TOP, BOTTOM = 46, 322
# title, the score function's variances, those of one pathwise draw of the same f, left edge
PANELS = [
    ("f = α log π − Q", "score", "pathwise", 70),
    ("the same without baseline", "scoreWithoutBaseline", "pathwise", 300),
    ("f = −Q", "scoreOfQ", "pathwiseOfQ", 530),
]
PANEL_WIDTH = 180
COLOURS = ["#0072b2", "#009e73", "#d55e00", "#8e4a8e"]


def main():
    data = json.loads((FOLDER / "policy-gradients.json").read_text())
    samples, tasks = data["samples"], data["tasks"]
    ratios = {
        (key, n): [v / task[one] for v in task[key]] for _, key, one, _ in PANELS for n, task in enumerate(tasks)
    }
    low = math.floor(math.log10(min(1 / samples[-1], min(min(r) for r in ratios.values()))))
    high = math.ceil(math.log10(max(max(r) for r in ratios.values())))

    def x_of(left, k):
        first, last = math.log(samples[0]), math.log(samples[-1])
        return left + (math.log(k) - first) / (last - first) * PANEL_WIDTH

    def y_of(ratio):
        return BOTTOM - (math.log10(ratio) - low) / (high - low) * (BOTTOM - TOP)

    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        'font-family="sans-serif" font-size="12" fill="#222">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
    ]

    def text(x, y, words, anchor="middle", more=""):
        out.append(f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" {more}>{words}</text>')

    def line(x1, y1, x2, y2, colour="#ddd", more=""):
        out.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" {more}/>')

    text(16, (TOP + BOTTOM) / 2, "variance ÷ variance of one draw through Q",
         more=f'transform="rotate(-90 16 {(TOP + BOTTOM) / 2})"')
    for title, key, _, left in PANELS:
        text(left + PANEL_WIDTH / 2, TOP - 22, title, more='font-weight="bold"')
        for power in range(low, high + 1):
            y = y_of(10.0**power)
            line(left, y, left + PANEL_WIDTH, y)
            text(left - 6, y + 4, f"{10.0**power:g}" if -3 < power < 5 else f"1e{power}", "end")
        for k in samples:
            line(x_of(left, k), TOP, x_of(left, k), BOTTOM, "#eee")
            text(x_of(left, k), BOTTOM + 16, k)
        text(left + PANEL_WIDTH / 2, BOTTOM + 34, "draws of each state, K")
        line(left, y_of(1), left + PANEL_WIDTH, y_of(1), "#222", 'stroke-width="1.5" stroke-dasharray="5 3"')
        line(left, y_of(1 / samples[0]), left + PANEL_WIDTH, y_of(1 / samples[-1]), "#222", 'stroke-dasharray="1 3"')
        for n in range(len(tasks)):
            points = [(x_of(left, k), y_of(r)) for k, r in zip(samples, ratios[key, n])]
            path = " ".join(f"{a:.1f},{b:.1f}" for a, b in points)
            out.append(f'<polyline points="{path}" fill="none" stroke="{COLOURS[n]}" stroke-width="2"/>')
            for a, b in points:
                out.append(f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3" fill="{COLOURS[n]}"/>')
    for n, task in enumerate(tasks):
        y = TOP + 30 + 34 * n
        text(726, y, task["task"], "start", f'fill="{COLOURS[n]}" font-weight="bold"')
        text(726, y + 14, f"A = {task['actions']}", "start", f'fill="{COLOURS[n]}"')
    text(WIDTH / 2, HEIGHT - 4, "dashed: one draw through Q of the same f; dotted: the mean of K draws through Q")
    out.append("</svg>")
    (FOLDER / "policy-gradients.svg").write_text("\n".join(out) + "\n")

    def number(value):
        return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"

    print("| task | A | steps | α | noise |" + "".join(f" K = {k} |" for k in samples))
    print("|---" * (5 + len(samples)) + "|")
    for n, task in enumerate(tasks):
        noise = math.sqrt(task["pathwise"] / task["squaredMean"]) if task["squaredMean"] > 0 else math.nan
        row = [task["task"], task["actions"], f"{task['steps']:,}", f"{task['temperature']:.2g}", f"{noise:.2f}"]
        for k, (with_baseline, without) in enumerate(zip(ratios["score", n], ratios["scoreWithoutBaseline", n])):
            row.append(f"{number(with_baseline)} ({number(without)})")
        print("| " + " | ".join(map(str, row)) + " |")
    print("\n| f = −Q |" + "".join(f" K = {k} |" for k in samples))
    print("|---" * (1 + len(samples)) + "|")
    for n, task in enumerate(tasks):
        print("| " + " | ".join([task["task"], *(number(r) for r in ratios["scoreOfQ", n])]) + " |")
    print()
    print("| task |" + "".join(f" B = {b['batch']}: through Q, K = 8, ratio |" for b in tasks[0]["batches"]))
    print("|---" * (1 + len(tasks[0]["batches"])) + "|")
    for task in tasks:
        cells = [f"{b['pathwise']:.2e}, {b['score8']:.2e}, {b['score8'] / b['pathwise']:.3g}" for b in task["batches"]]
        print("| " + " | ".join([task["task"], *cells]) + " |")


if __name__ == "__main__":
    main()
