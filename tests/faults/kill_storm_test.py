#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Kills and stops supervisor, learner and safety process at random moments, and looks at what the arm does.

Two storms. In the first a hostile stand-in commands the arm as fast as it may go; in the second the real supervisor
and learner practise. --events N gives the number of events of each kind and storm; --long is the run of docs/results.md.
"""
import argparse
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "scenarios"))
from robot import QUICK, SANITIZER, changed

# Kill and stop of supervisor, learner, safety.
SHORT = {"stand-in": (4, 4, 0, 0, 4, 4), "real": (1, 1, 2, 2, 1, 1)}
LONG = {"stand-in": (200, 200, 0, 0, 200, 200), "real": (20, 20, 200, 200, 20, 20)}

# The stand-in answers at once: time that stands still while somebody is dead need not last long.
IMPATIENT = {"": {"perception": '"ground_truth"'}, "cell": {"mess": '"clean"', "silence_ms": "400"},
             "safety": {"peer_wait_s_max": "0.15"}}
CHANGES = {"stand-in": IMPATIENT, "real": QUICK}


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--programs", type=pathlib.Path, required=True, help="folder of the programs")
    parser.add_argument("--source", type=pathlib.Path, required=True, help="root of the source tree")
    parser.add_argument("--crew", choices=sorted(CHANGES), action="append", help="only this one")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--long", action="store_true", help="hundreds of each kind")
    parser.add_argument("--events", help="six numbers in place of those: kill and stop of supervisor, learner, safety")
    return parser.parse_args()


def configuration(options, crew):
    changes = {section: dict(keys) for section, keys in CHANGES[crew].items()}
    changes.setdefault("cell", {})["model_file"] = json.dumps(str(options.source.resolve() / "configs/cell/tabletop.xml"))
    return changed((options.source / "configs/tabletop.toml").read_text(), changes)


def storm(options, crew):
    """True if every promise was kept; then nothing is left behind."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="storm-"))  # Short: socket paths are limited.
    (folder / "robot.toml").write_text(configuration(options, crew))
    events = options.events or ",".join(map(str, (LONG if options.long else SHORT)[crew]))
    done = subprocess.run([str(options.programs / "kill_storm"), "--config", str(folder / "robot.toml"),
                           "--data", str(folder / "d"), "--programs", str(options.programs), "--crew", crew,
                           "--events", events, "--seed", str(options.seed)])
    reports = [f"{file.name}: {line}" for file in (folder / "d/log").glob("*")
               for line in file.read_text(errors="replace").splitlines() if SANITIZER.search(line)]
    for report in reports:
        print(f"a sanitizer reported: {report}", flush=True)
    kept = done.returncode == 0 and not reports
    if kept:
        shutil.rmtree(folder)
    else:
        print(f"kept for a look: {folder}", flush=True)
    return kept


def main():
    options = arguments()
    return 0 if all([storm(options, crew) for crew in options.crew or CHANGES]) else 1


if __name__ == "__main__":
    sys.exit(main())
