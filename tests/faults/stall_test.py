#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""SIGSTOP of the running safety process for 1 to 500 ms at random moments of practice: it goes on.

The cell waits 100 ms for its bus and then goes on alone, as hardware does at once. A loop that comes back later than
that finds a device whose clock went on, stops with `overrun`, and the supervisor clears it.
"""
import json
import os
import pathlib
import random
import signal
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "scenarios"))
from robot import START_S, Robot, arguments, await_that, check

STALLS_MS = (1, 2, 5, 10, 20, 50, 100, 200, 500)
ROUNDS = 3
GO_ON_S = 45.0        # Until another episode is closed after a stall.
BETWEEN_S_MAX = 0.4   # A random moment of an attempt.
SILENCE_MS = 100      # The cell's patience.
OVERRUN_MS_MIN = 200  # Stalls that leave the cell alone for longer than safety.overrun_s_max.
PATIENCE = {"cell": {"silence_ms": str(SILENCE_MS)}, "safety": {"peer_wait_s_max": "0.06"}}


def stall(robot, ms):
    safety = await_that(lambda: robot.children().get("safety"), "safety runs", GO_ON_S, robot.alive)
    os.kill(safety, signal.SIGSTOP)
    time.sleep(ms / 1000)  # The fault itself.
    os.kill(safety, signal.SIGCONT)
    return safety


def records(robot):
    return [json.loads(line) for file in sorted((robot.data / "audit").glob("*.jsonl"))
            for line in file.read_text().splitlines()]


def main():
    options = arguments()
    dice = random.Random(options.seed)
    stalls = [ms for ms in STALLS_MS for _ in range(ROUNDS)]
    dice.shuffle(stalls)
    with Robot(options, PATIENCE) as robot:
        begin = time.monotonic()
        robot.run("--robot-time", "10h")
        await_that(lambda: robot.practised() >= 1, "practice begins", START_S, robot.alive)
        process = None
        for number, ms in enumerate(stalls, 1):
            time.sleep(dice.uniform(0, BETWEEN_S_MAX))
            before = robot.practised()
            stalled = stall(robot, ms)
            check(process in (None, stalled), "the safety process has lived through the stalls before")
            process = stalled
            await_that(lambda: robot.practised() > before, f"practice goes on after a stall of {ms} ms", GO_ON_S,
                       robot.alive)
            print(f"stall {number} of {len(stalls)}: {ms} ms, {time.monotonic() - begin:.0f} s", flush=True)
        check(robot.stop() == 0, "the run exits 0 after all that")
        verified = robot.ask("audit", "verify", "--data", str(robot.data))
        check(verified.returncode == 0, f"the audit's chain holds: {verified.stderr}")
        overruns = {r["latch"] for r in records(robot) if r["first"] == "overrun"}
        long = sum(ms >= OVERRUN_MS_MIN for ms in stalls)
        check(len(overruns) >= long - ROUNDS, f"{len(overruns)} stops by overrun; {long} stalls were that long")
        print(f"{len(overruns)} overruns of {long} long stalls, {robot.counts()} in {time.monotonic() - begin:.0f} s",
              flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
