#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The whole product for some robot minutes: practice, failure, recovery, learning, swap and resume really happen.

Everything is read from the journal, the learner's files and the metrics endpoint; no log line is believed.
"""
import sys
import time

from robot import Robot, arguments, await_that, check

ROBOT_TIME = "60m"      # An upper bound: the run is ended when all that is asked for has happened.
STORY_S = 150.0         # Wall time for each part of the story.
SECOND_EPISODES = 15    # Of the second run.
TASKS = ("pick", "place", "unload")


class Story:
    """What has been seen so far, looked at until it is complete."""

    def __init__(self, robot):
        self.robot = robot
        self.missing = []
        self.injected = 0.0

    def inject_drop(self):
        """The object slips from the hand now and then, until a drop is on record."""
        if time.monotonic() - self.injected < 1.0:
            return
        self.injected = time.monotonic()
        self.robot.ask("inject", "drop", "--seconds", "1", "--data", str(self.robot.data))

    def complete(self):
        robot = self.robot
        robot.alive()
        episodes = robot.episodes().values()
        recovery = {name for name, in robot.catalogue("SELECT name FROM task WHERE signature != ''")}
        dropped = robot.catalogue("SELECT seen FROM failure_tally WHERE kind = 'dropped'")
        learned = [e for e in episodes if e.skill == "learned" and e.policy_version > 0]
        facts = {
            **{f"{task} succeeded": any(e.task == task and e.outcome == "success" for e in episodes) for task in TASKS},
            "an attempt failed": any(e.outcome in ("failure", "timeout") for e in episodes),
            "a dropped object is on record": bool(dropped),
            "a failure became a recovery task": bool(recovery),
            "a recovery task was attempted": any(e.task in recovery for e in episodes),
            "the learner updates": robot.metric("nightshift_learner_updates_total") > 0,
            "snapshots are on disk": any((robot.data / "snapshots").glob("*.nspolicy")),
            "a learned policy acted": bool(learned),
            "a newer policy took over from an older one": any(
                len({e.policy_version for e in learned if e.task == task}) > 1 for task in TASKS),
            "the endpoint counts the episodes": robot.metric("nightshift_episodes_total") >= 10,
            "the endpoint names the policy in use": robot.metric("nightshift_policy_version") > 0,
            "the endpoint tells what speaks for it": robot.metric("nightshift_policy_attempts", 'policy="deployed"') > 0,
            "the manifest is saved": sum(robot.updates().values()) > 0,
        }
        if not dropped:
            self.inject_drop()
        self.missing = [what for what, seen in facts.items() if not seen]
        return not self.missing


def first_run(robot):
    robot.run("--robot-time", ROBOT_TIME)
    story = Story(robot)
    try:
        await_that(story.complete, "the story is complete", STORY_S)
    except AssertionError as error:
        raise AssertionError(f"{error}; missing: {', '.join(story.missing)}") from error
    check(robot.stop() == 0, "the first run exits 0")


def remembered(robot):
    attempts = {(task, skill): n for task, skill, n in
                robot.catalogue("SELECT task, skill, attempts FROM competence")}
    recovery = set(robot.catalogue("SELECT name, start, success, signature FROM task WHERE signature != ''"))
    return robot.episodes(), attempts, recovery, robot.updates()


def check_counts(robot, episodes, attempts):
    for (task, skill), counted in attempts.items():
        closed = sum(e.task == task and e.skill == skill and e.outcome != "interrupted" for e in episodes.values())
        check(counted == closed, f"{task}, {skill}: {counted} attempts counted, {closed} episodes closed")


def second_run(robot):
    """On the same data: ids, competence, recovery tasks and weights go on where they were."""
    before, attempts, recovery, updates = remembered(robot)
    check_counts(robot, before, attempts)
    robot.run("--robot-time", "20m")
    first_heard = await_that(lambda: (robot.status().get("learner") or {}), "the learner speaks", 60, robot.alive)
    check(int(first_heard["updates"]) >= sum(updates.values()),
          f"the learner goes on from {sum(updates.values())} updates and not from {first_heard['updates']}")
    count = sum(e.outcome != "interrupted" for e in before.values())
    await_that(lambda: robot.practised() >= count + SECOND_EPISODES, "practice goes on", STORY_S, robot.alive)
    new = [e for e in robot.episodes().values() if e.id not in before]
    learned = [e for e in new if e.skill == "learned"]
    check(learned and all(e.policy_version > 0 for e in learned), "learned policies act again at once, none anew")
    check(robot.stop() == 0, "the second run exits 0")

    after, attempts_after, recovery_after, updates_after = remembered(robot)
    check_counts(robot, after, attempts_after)
    check(all(after.get(id) == e for id, e in before.items()), "no episode of the first run is lost or changed")
    check(min(e.id for e in new) > max(before), "episode ids increase")
    check(all(attempts_after.get(key, 0) >= n for key, n in attempts.items()), "competence does not fall")
    check(recovery <= recovery_after, "the recovery tasks are the same")
    check(all(updates_after.get(task, 0) >= n for task, n in updates.items()), "no agent restarts its updates")


def doctor(robot):
    """What was practised is told in plain sentences, also when nobody is alive to ask."""
    said = robot.ask("doctor", "--data", str(robot.data))
    check(said.returncode in (0, 3), f"`nightshift doctor` exits {said.returncode}: {said.stdout}{said.stderr}")
    for words in ("a reward was seen in", "owed, normal is below", "values reach"):
        check(words in said.stdout, f"the doctor says '{words}', not only: {said.stdout}")


def main():
    with Robot(arguments()) as robot:
        begin = time.monotonic()
        first_run(robot)
        took = time.monotonic() - begin
        print(f"first run: {robot.practised()} episodes, updates {robot.updates()} in {took:.0f} s", flush=True)
        doctor(robot)
        second_run(robot)
        print(f"both runs: {robot.practised()} episodes in {time.monotonic() - begin:.0f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
