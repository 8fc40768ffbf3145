#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What must outlive the safety process does: who may clear its restart, and how often.

After a boot, and where nothing is known of an earlier life, a person clears; a restart on the same boot is the
supervisor's, but only so often an hour, however often the process dies. In real time: an hour does not pass here.
"""
import hashlib
import os
import pathlib
import signal
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "scenarios"))
from robot import START_S, Robot, arguments, await_that, check

CLEARS_MAX = 3
KILLS_MAX = 5               # Fewer quick deaths than those after which nightshift run gives up.
GO_ON_S = 45.0


def supervisor_says(robot):
    return (robot.status().get("supervisor") or {}).get("why", "")


def armed(robot):
    """Told by a process that has had a period: before it, there is no epoch."""
    told = robot.status().get("safety") or {}
    return told.get("state") in ("moving", "holding") and "epoch" in told.get("period", {}).get("latch", {})


def await_refusal(robot, *names):
    """Until the supervisor says that it may not clear, and why: one of the names."""
    return await_that(lambda: next((name for name in names if name in supervisor_says(robot)), None),
                      f"the supervisor may not clear: {names}", START_S, robot.alive)


def person_clears(robot):
    def cleared():
        return robot.ask("clear", "--data", str(robot.data)).returncode == 0
    await_that(cleared, "a person's clear is accepted", GO_ON_S, robot.alive)
    await_that(lambda: armed(robot), "the arm may move", GO_ON_S, robot.alive)


def kill_safety(robot):
    pid = await_that(lambda: robot.children().get("safety"), "safety runs", GO_ON_S, robot.alive)
    os.kill(pid, signal.SIGKILL)
    await_that(lambda: robot.children().get("safety", pid) != pid, "safety runs again", GO_ON_S, robot.alive)


def cleared_or_refused(robot):
    def found():
        return "too_many" if "too_many" in supervisor_says(robot) else "armed" if armed(robot) else None
    return await_that(found, "the restart is cleared or refused", GO_ON_S, robot.alive)


def kill_until_refused(robot):
    """Gives the number of restarts that the supervisor has cleared."""
    for cleared in range(KILLS_MAX):
        kill_safety(robot)
        if cleared_or_refused(robot) == "too_many":
            return cleared
    return KILLS_MAX


def change_state(robot, change):
    """Rewrites the stored state, hash and all."""
    file = robot.data / "safety/state"
    content, _ = file.read_bytes().rsplit(b"hash ", 1)
    content = change(content)
    file.write_bytes(content + b"hash " + hashlib.blake2b(content, digest_size=16).hexdigest().encode() + b"\n")


def other_boot(content):
    lines = content.split(b"\n")
    check(lines[1].startswith(b"boot ") and len(lines[1]) > 20, f"the boot's line is {lines[1]}")
    return b"\n".join([lines[0], b"boot 00000000-0000-0000-0000-000000000000", *lines[2:]])


def main():
    limits = {"arm_after_reboot": "false", "clears_per_hour_max": str(CLEARS_MAX)}
    nobody_comes = {"person_answers_after_s": "86400"}  # Who clears here is the test.
    with Robot(arguments(), {"safety": limits, "practice": nobody_comes}) as robot:
        robot.run(speed="1")
        await_refusal(robot, "needs_person")
        person_clears(robot)
        print("a first start was a person's to clear", flush=True)

        cleared = kill_until_refused(robot)
        check(1 <= cleared <= CLEARS_MAX, f"the supervisor cleared {cleared} restarts, {CLEARS_MAX} stops are allowed")
        person_clears(robot)
        check(robot.stop() == 0, "the run exits 0")
        print(f"of the restarts after kills the supervisor cleared {cleared}", flush=True)

        robot.run(speed="1")
        check(await_refusal(robot, "too_many", "needs_person") == "too_many",
              "an orderly restart on the same boot asks for no person but for the bound")
        check(robot.stop() == 0, "the run exits 0")

        change_state(robot, other_boot)
        robot.run(speed="1")
        await_refusal(robot, "needs_person")
        check(robot.stop() == 0, "the run exits 0")
        print("another boot was a person's to clear", flush=True)

        state = robot.data / "safety/state"
        state.write_bytes(state.read_bytes()[:100])
        robot.run(speed="1")
        await_refusal(robot, "needs_person")
        log = "".join(file.read_text(errors="replace") for file in robot.data.glob("log/safety*"))
        check("corrupt_state" in log and "safety/state" in log, "a damaged state is named in the log")
        check(robot.stop() == 0, "the run exits 0")
        print("a damaged state was a person's to clear", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
