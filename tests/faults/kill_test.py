#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Twenty kills with -9 at random moments of practice: nothing committed is lost or doubled, and practice goes on.

A killed supervisor leaves the arm at rest: while nobody restarts it, no command is fresh, and nothing moves.
"""
import os
import pathlib
import random
import signal
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "scenarios"))
from robot import ROLES, START_S, Robot, arguments, await_that, check

KILLS_EACH = 4
GO_ON_S = 45.0              # Until another episode is closed after a kill: restarts, a cleared stop, an attempt.
SUCCESS_S = 90.0            # Until an attempt succeeds again: where nothing does, a person is asked first.
REST_S = 15.0               # Until the arm is at rest after its supervisor died: a lease, and the way to a stop.
AT_REST_RAD_S = 0.02        # Of every joint.
EXPIRED_NS = 10**9          # Robot time after which every command is dead (0.3 s) and the stop that follows is over.
STILL_RAD = 0.05  # A finger that slips off a cube lets the arm settle; 0.011 was seen.

JAW, JAW_STILL_RAD = 5, 0.3  # The jaw closes further when the object in it slips.
EPISODES_BETWEEN_MAX = 2
STEPS_INTO_MAX = 25


class Watch:
    """What has been committed, and that it stays so."""

    def __init__(self, robot):
        self.robot = robot
        self.committed = {}

    def look(self):
        now = self.robot.episodes()
        for id, episode in self.committed.items():
            check(id in now, f"the committed episode {id} is lost")
            check(now[id] == episode, f"the committed episode {id} has changed: {episode} is now {now[id]}")
        self.committed = now

    def none_is_doubled(self):
        seen = {}
        for id, episode in self.committed.items():
            if episode.steps:
                other = seen.setdefault(episode.body_digest, id)
                check(other == id, f"episodes {other} and {id} hold the same steps")


def running_steps(robot):
    """How far the attempt that runs has come."""
    for file in reversed(robot.day_files()):
        for steps, in robot.rows(file, "SELECT count(*) FROM transition WHERE episode = "
                                       "(SELECT max(id) FROM episode WHERE outcome = 'running')"):
            return steps
    return 0


def await_random_moment(robot, dice):
    goal = robot.practised() + dice.randint(0, EPISODES_BETWEEN_MAX)
    steps = dice.randint(0, STEPS_INTO_MAX)

    def reached():
        closed = robot.practised()
        return closed > goal or (closed == goal and running_steps(robot) >= steps)

    await_that(reached, "practice comes to the next random moment", GO_ON_S, robot.alive)


def motion(robot):
    """The last period of the safety process: the joints, and what they were told."""
    return robot.status().get("safety", {}).get("period", {})


def check_rest(robot):
    """Without a supervisor the arm comes to rest and stays there, while robot time goes on."""
    begin = time.monotonic()
    killed_ns = int(await_that(lambda: motion(robot), "safety still tells its state", REST_S)["joints"]["time_ns"])

    def resting():
        # An arm that turns round in the middle of its last command is still for a moment, too.
        now = motion(robot)
        expired = now and int(now["joints"]["time_ns"]) > killed_ns + EXPIRED_NS
        return now if expired and max(abs(v) for v in now["joints"]["dq_rad_s"]) < AT_REST_RAD_S else None

    first = await_that(resting, "the arm is at rest without a supervisor", REST_S)
    took = time.monotonic() - begin
    start_ns = int(first["joints"]["time_ns"])

    def a_second_later():
        now = motion(robot)
        return now if now and int(now["joints"]["time_ns"]) > start_ns + 10**9 else None

    later = await_that(a_second_later, "robot time goes on without a supervisor", REST_S)
    # The only command that needs nobody is to stop pushing: the setpoint goes to where the joint is.
    for axis, (told, tells, before, after) in enumerate(zip(first["commanded_q_rad"], later["commanded_q_rad"],
                                                            first["joints"]["q_rad"], later["joints"]["q_rad"])):
        allowed = JAW_STILL_RAD if axis == JAW else STILL_RAD
        check(tells == told or abs(tells - before) < allowed,
              f"axis {axis} was at {before:.4f} rad, told {told:.4f}, and is now told {tells:.4f}")
        check(abs(after - before) < allowed,
              f"axis {axis} moved from {before:.4f} to {after:.4f} rad without a fresh command")
    return took


def kill(robot, role):
    """Kills one program; for a supervisor nobody restarts it before the arm has been seen at rest."""
    child = await_that(lambda: robot.children().get(role), f"{role} runs", GO_ON_S, robot.alive)
    held = role == "supervisor"
    if held:
        os.kill(robot.process.pid, signal.SIGSTOP)
    os.kill(child, signal.SIGKILL)
    if held:
        took = check_rest(robot)
        os.kill(robot.process.pid, signal.SIGCONT)
        print(f"  at rest within {took:.1f} s", flush=True)


def check_competence(robot, episodes):
    counted = dict.fromkeys(((e.task, e.skill) for e in episodes.values() if e.outcome != "interrupted"), 0)
    for task, skill, attempts, solved in robot.catalogue("SELECT task, skill, attempts, solved FROM competence"):
        mine = [e for e in episodes.values() if (e.task, e.skill) == (task, skill) and e.outcome != "interrupted"]
        wins = sum(e.outcome == "success" for e in mine)
        check((attempts, solved) == (len(mine), wins),
              f"{task}, {skill}: {attempts} attempts, {solved} solved are counted; the journal has {len(mine)}, {wins}")
        counted.pop((task, skill), None)
    check(not counted, f"episodes of {list(counted)} are not counted in competence")


def check_learner(robot, episodes):
    """The learner has counted each step once that lies before its cursor."""
    manifest = robot.manifest()
    steps = sum(e.steps for e in episodes.values() if e.id <= manifest["cursor"])
    check(manifest["steps"] == steps, f"the learner counts {manifest['steps']} steps, the journal has {steps}")


def main():
    options = arguments()
    dice = random.Random(options.seed)
    order = [role for role in ROLES for _ in range(KILLS_EACH)]
    dice.shuffle(order)
    with Robot(options) as robot:
        begin = time.monotonic()
        robot.run("--robot-time", "10h")
        watch = Watch(robot)
        await_that(lambda: robot.practised() >= 2, "practice begins", START_S, robot.alive)
        for number, role in enumerate(order, 1):
            await_random_moment(robot, dice)
            watch.look()
            print(f"kill {number} of {len(order)}: {role} at {time.monotonic() - begin:.0f} s, "
                  f"{len(watch.committed)} episodes", flush=True)
            kill(robot, role)
            before = robot.practised()
            await_that(lambda: robot.practised() > before, f"practice goes on after the death of {role}", GO_ON_S,
                       robot.alive)
            watch.look()
        solved = robot.counts()["success"]
        await_that(lambda: robot.counts()["success"] > solved, "an attempt succeeds after all that", SUCCESS_S,
                   robot.alive)
        await_that(lambda: set(robot.children()) == set(ROLES), "all five programs run again", GO_ON_S, robot.alive)
        check(robot.stop() == 0, "the run exits 0 after all that")
        watch.look()
        watch.none_is_doubled()
        check_competence(robot, watch.committed)
        check_learner(robot, watch.committed)
        print(f"{len(watch.committed)} episodes, {robot.counts()} in {time.monotonic() - begin:.0f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
