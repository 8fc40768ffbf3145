#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Draws EARL runs: tests/plots/earl_curves.py RUN_FOLDER... > docs/earl-peg.svg

Above: deployed success of the averaged actor. Below: share of practice attempts won per 5,000 steps, forward (full
line) and reverse (dashed). One colour per run; triangles mark interventions.
"""
import json
import os
import sys

WIDTH, HEIGHT, LEFT, TOP, PLOT_WIDTH, PLOT_HEIGHT, GAP = 860, 560, 60, 40, 620, 200, 60
COLOURS = ["#2166ac", "#c0392b", "#3a7d44", "#8e44ad", "#b9770e"]


def read(folder):
    lines = [json.loads(line) for line in open(os.path.join(folder, "results.jsonl"))]
    who = lines[0]
    name = f"{who['env']}, seed {who['seed']}" + ("" if who["learning"] == "all" else f", {who['learning']} only") + \
        ("" if who["starts"] == "autonomous" else f", {who['starts']}")
    deployed = [(e["step"], e["solved"] / e["episodes"]) for e in lines
                if e["kind"] == "evaluation" and e["actor"] == "averaged"]
    practice = [p for p in lines if p["kind"] == "practice"]
    wins = {way: [(p["step"], p[way][0] / p[way][1]) for p in practice if p[way][1] > 0]
            for way in ["forward", "reverse"]}
    asked, before = [], 0
    for p in practice:
        if p["interventions"] > before:
            asked.append(p["step"])
        before = p["interventions"]
    return name, deployed, wins, asked


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    runs = [read(folder) for folder in sys.argv[1:]]
    steps_max = max(step for _, deployed, wins, _ in runs for step, _ in deployed + wins["forward"]) or 1

    def at(step, share, panel):
        return LEFT + PLOT_WIDTH * step / steps_max, TOP + panel * (PLOT_HEIGHT + GAP) + PLOT_HEIGHT * (1 - share)

    def line(points, panel, colour, style=""):
        text = " ".join(f"{x:.1f},{y:.1f}" for x, y in (at(s, v, panel) for s, v in points))
        return f'<polyline points="{text}" fill="none" stroke="{colour}" stroke-width="2"{style}/>'

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" font-family="sans-serif" '
           f'font-size="13"><rect width="100%" height="100%" fill="white"/>']
    for panel, title in enumerate(["Deployed success", "Practice attempts won, forward and (dashed) reverse"]):
        out.append(f'<text x="{LEFT}" y="{at(0, 1, panel)[1] - 14:.0f}" font-size="15">{title}</text>')
        for fifth in range(6):
            x, y = at(0, fifth / 5, panel)
            out.append(f'<line x1="{x}" y1="{y:.1f}" x2="{x + PLOT_WIDTH}" y2="{y:.1f}" stroke="#ddd"/>'
                       f'<text x="{x - 8}" y="{y + 4:.1f}" text-anchor="end">{20 * fifth} %</text>')
        for quarter in range(5):
            x, y = at(steps_max * quarter / 4, 0, panel)
            out.append(f'<text x="{x:.0f}" y="{y + 18:.0f}" text-anchor="middle">{steps_max * quarter / 4000:.0f}k</text>')
    for row, (name, deployed, wins, asked) in enumerate(runs):
        colour = COLOURS[row % len(COLOURS)]
        out += [line(deployed, 0, colour), line(wins["forward"], 1, colour),
                line(wins["reverse"], 1, colour, ' stroke-dasharray="5 4"')]
        for step in asked:
            x, y = at(step, 0, 1)
            out.append(f'<path d="M{x:.1f},{y - 9:.1f} l5,9 l-10,0 z" fill="{colour}"/>')
        out.append(f'<text x="{LEFT + PLOT_WIDTH + 12}" y="{TOP + 14 + 20 * row}" fill="{colour}">{name}</text>')
    out.append(f'<text x="{LEFT + PLOT_WIDTH / 2}" y="{HEIGHT - 8}" text-anchor="middle">steps of practice</text></svg>')
    print("\n".join(out))


if __name__ == "__main__":
    main()
