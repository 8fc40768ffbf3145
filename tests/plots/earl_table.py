#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Sums EARL runs up, one Markdown row per run and one for all: tests/plots/earl_table.py [--from STEPS] RUN_FOLDER...

Deployed is the averaged actor. "Stays" is the first evaluation from which on at least 95 % of episodes are solved.
Practice wins, the share of steps spent in scripts, and that of actions the shield changed count from --from on.
"""
import argparse
import json
import math
import pathlib

STAYS_SHARE = 0.95


def share(won, all_of_them):
    return f"{won}/{all_of_them} ({100 * won / all_of_them:.0f} %)" if all_of_them else "none"


def read(folder, begin):
    lines = [json.loads(line) for line in (folder / "results.jsonl").read_text().splitlines()]
    practice = [line for line in lines if line["kind"] == "practice"]
    deployed = [(line["step"], line["solved"] / line["episodes"]) for line in lines
                if line["kind"] == "evaluation" and line["actor"] == "averaged"]
    stays = None
    for step, solved in reversed(deployed):
        if solved < STAYS_SHARE:
            break
        stays = step
    late = [p for p in practice if p["step"] > begin]
    total = {way: [sum(p[way][i] for p in late) for i in (0, 1)] for way in ("forward", "reverse", "recover")}
    last = practice[-1]
    steps = last["step"]
    reward = sum(p["reward_per_step"] * (p["step"] - q) for p, q in zip(practice, [0] + [p["step"] for p in practice]))
    return {"name": folder.name, "steps": steps, "deployed": [d for _, d in deployed], "stays": stays, "total": total,
            "scripts": sum(p["home_steps"] + p["press_steps"] for p in late), "late_steps": steps - begin,
            "shielded": sum(p["shielded_steps"] for p in late), "lost": last["lost_steps"] / steps,
            "interventions": last["interventions"], "asked": last["asked"], "reward": reward / steps,
            "seconds": [line["seconds"] for line in lines if line["kind"] == "timing"][-1]}


def spread(values):
    mean = sum(values) / len(values)
    if len(values) < 2:
        return f"{mean:.3f}"
    error = math.sqrt(sum((v - mean) ** 2 for v in values) / (len(values) - 1) / len(values))
    return f"{mean:.3f} ± {error:.3f}"


def row(run):
    last_ten = run["deployed"][-10:]
    return (f"| {run['name']} | {run['steps']} | {run['deployed'][0]:.2f} | {run['deployed'][-1]:.2f} | "
            f"{sum(last_ten) / len(last_ten):.3f} | {'never' if run['stays'] is None else run['stays']} | "
            f"{share(*run['total']['forward'])} | {share(*run['total']['reverse'])} | {100 * run['lost']:.2f} % | "
            f"{run['interventions']} ({run['asked']}) | {100 * run['shielded'] / run['late_steps']:.1f} % | "
            f"{run['reward']:.4f} | {run['seconds']:.0f} s |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--from", type=int, default=0, dest="begin", help="steps")
    parser.add_argument("folders", nargs="+", type=pathlib.Path)
    args = parser.parse_args()
    runs = [read(folder, args.begin) for folder in args.folders]
    print("| run | steps | deployed at 0 | at the end | mean of the last ten | stays >= .95 from | forward won | reverse won | lost |"
          " resets (asked for) | shielded | reward per step | wall |\n|" + "---|" * 13)
    for run in runs:
        print(row(run))
    pooled = {way: [sum(run["total"][way][i] for run in runs) for i in (0, 1)] for way in ("forward", "reverse")}
    print(f"\nAll {len(runs)}: deployed at the end {spread([run['deployed'][-1] for run in runs])}, at 0 "
          f"{spread([run['deployed'][0] for run in runs])} (mean ± standard error); from {args.begin} steps on forward "
          f"{share(*pooled['forward'])}, reverse {share(*pooled['reverse'])}; lost at most "
          f"{100 * max(run['lost'] for run in runs):.2f} %; reward per step {spread([run['reward'] for run in runs])}.")


if __name__ == "__main__":
    main()
