#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Bad input from outside: each is refused with its place, the range that is allowed and what to do; nothing is lost.

A full disk is met in tests/io/journal (journal_faults_test, with a file system that fills at every possible write).
"""
import os
import pathlib
import signal
import socket
import struct
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "scenarios"))
from robot import START_S, Robot, arguments, await_that, changed, check
from zmtp import Dealer

REFUSED = 78       # EX_CONFIG: starting again is no use (runtime/exit_codes.h).
LEARNED_S = 120.0  # Until learned policies act.
GO_ON_S = 45.0
MALFORMED = "nightshift_malformed_messages_total"
FAULTS = "nightshift_faults_total"
CORRUPT = 'code="corrupt_snapshot"'

# What is changed in a good configuration: what the refusal must name.
BAD_CONFIGURATIONS = {
    "an unknown key": ({"learner": {"update_ration": "4"}},
                       ["learner.update_ration = 4", "unknown key", "did you mean learner.update_ratio?"]),
    "a wrong unit": ({"camera": {"frame_wait_ms": "500"}},
                     ["camera.frame_wait_ms = 500", "wrong unit", "camera.frame_wait_s", "convert the value"]),
    "a number out of range": ({"scene": {"step_m_max": "3"}}, ["scene.step_m_max = 3", "[0.001, 0.1]"]),
    "an impossible limit": ({"safety": {"temperature_c_clear": "80", "temperature_c_max": "70"}},
                            ["safety.temperature_c_clear = 80", "below temperature_c_max = 70"]),
    "an object that fits nowhere": ({"scene": {"object_half_m": "0.09"}},
                                    ["scene.tray.x_m_max = 0.285", "scene.object_half_m", "make the object smaller"]),
    "a home outside the workspace": ({"scene": {"home_m": "[2.0, 2.0, 2.0]"}},
                                     ["scene.home_m = [2, 2, 2]", "[-0.05, -0.33, 0.002] to [0.36, 0.33, 0.45]"]),
    "an address without a port": ({"metrics": {"listen": '"127.0.0.1"'}},
                                  ['metrics.listen = "127.0.0.1"', "an address and a port up to 65535"]),
    "a task that is named like a path": ({"tasks": {"name": '"../../evil"'}},
                                         ['tasks.name = "../../evil"', "small letters, digits"]),
    "a missing model file": ({"cell": {"model_file": '"/nowhere/gone.xml"'}},
                             ["cell.model_file", "/nowhere/gone.xml", "relative to the folder of the configuration"]),
}


def check_refused(answer, words, what):
    check(answer.returncode == REFUSED, f"{what}: exit code {REFUSED}, not {answer.returncode}: {answer.stderr}")
    for word in words:
        check(word in answer.stderr, f"{what}: {word!r} is missing in {answer.stderr!r}")


def check_configurations(robot):
    good = robot.config.read_text()
    bad = robot.folder / "bad.toml"
    for what, (changes, words) in BAD_CONFIGURATIONS.items():
        bad.write_text(changed(good, changes))
        answer = robot.ask("run", "--config", str(bad), "--data", str(robot.data))
        check_refused(answer, [str(bad), *words], what)
        check(not robot.data.exists(), f"{what}: nothing is made before the configuration is good")
        verdict = robot.ask("check", "--config", str(bad), "--data", str(robot.data))
        check(verdict.returncode == 1 and words[0] in verdict.stdout, f"{what}: check says it too: {verdict.stdout}")


def check_command_lines(robot):
    """What a shell with an unset variable, or a wrong folder, gives: said at once, and nothing is aborted."""
    for command in ("run", "status", "stop", "clear", "pause", "report"):
        answer = robot.ask(command, "--data", "")
        check(answer.returncode > 0 and "--data" in answer.stderr and "empty" in answer.stderr,
              f"{command} --data '': {answer.returncode} {answer.stderr}")
    answer = robot.ask("report", "--data", "/nowhere/at-all")
    check(answer.returncode > 0 and "no such folder" in answer.stderr, f"report of nothing: {answer.stderr}")
    answer = robot.ask("audit", "verify", "--data", "/nowhere/at-all")
    check(answer.returncode > 0 and "/nowhere/at-all/audit" in answer.stderr, f"an audit of nothing: {answer.stderr}")
    answer = robot.ask("run", "--seed", "-1", "--data", str(robot.data))
    check(answer.returncode > 0 and "--seed" in answer.stderr, f"a negative seed: {answer.stderr}")


def evaluation(robot, config, **environment):
    return subprocess.run(
        robot.command("evaluate", "--config", str(config), "--data", str(robot.data), "--task", "pick", "--policy",
                      "scripted-once", "--episodes", "1000"), capture_output=True, text=True, timeout=60,
        env={**os.environ, **environment})


def check_evaluations(robot):
    """One that cannot go on ends at once, says why, and leaves nothing behind."""
    answer = evaluation(robot, robot.config, TMPDIR="/nowhere")
    check(answer.returncode == 1 and "set TMPDIR" in answer.stderr, f"no folder for temporary files: {answer.stderr}")
    no_model = robot.folder / "no-model.toml"
    no_model.write_text(changed(robot.config.read_text(), {"cell": {"model_file": '"/etc/hostname"'}}))
    answer = evaluation(robot, no_model)
    check(answer.returncode != 0 and "cell process ended" in answer.stderr and "XML" in answer.stderr,
          f"a cell that cannot start: {answer.returncode} {answer.stderr}")
    for signal_number, words in ((signal.SIGKILL, "cell process ended (exit code 137)"),
                                 (signal.SIGINT, "stopped by a signal")):
        scratch = robot.folder / "tmp"
        scratch.mkdir()
        process = subprocess.Popen(
            robot.command("evaluate", "--config", str(robot.config), "--data", str(robot.data), "--task", "pick",
                          "--policy", "scripted-once", "--episodes", "1000"), stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True, env={**os.environ, "TMPDIR": str(scratch)})
        check("attempts" in process.stderr.readline(), "the evaluation is under way")
        cell = next(int(task.name) for task in pathlib.Path("/proc").glob("[0-9]*")
                    if f"{scratch}/".encode() in (cmdline := read_bytes(task / "cmdline")) and b"nightshift-cell" in cmdline)
        os.kill(cell if signal_number == signal.SIGKILL else process.pid, signal_number)
        said = process.communicate(timeout=30)[1]
        check(process.returncode != 0 and words in said, f"{signal_number}: {process.returncode} {said}")
        check(not list(scratch.iterdir()), "no temporary files are left")
        scratch.rmdir()


def read_bytes(file):
    try:
        return file.read_bytes()
    except OSError:
        return b""  # It ended meanwhile.


def check_restart_beside_orphans(robot):
    """`run` itself is killed: its programs end by themselves, and a run that begins meanwhile waits for them."""
    os.kill(robot.process.pid, signal.SIGKILL)
    robot.process.wait()
    count = robot.practised()
    robot.run("--robot-time", "10h")
    practises_on(robot, count)


def practises_on(robot, before=None):
    count = robot.practised() if before is None else before
    await_that(lambda: robot.practised() > count, "practice goes on", GO_ON_S, robot.alive)


def check_second_instance(robot):
    children = robot.children()
    answer = robot.ask("run", "--config", str(robot.config), "--data", str(robot.data))
    check_refused(answer, [str(robot.data), "already_running", str(robot.process.pid)], "a second instance")
    practises_on(robot)
    check(robot.children() == children, "the first instance is not touched by the second")


def check_malformed_messages(robot):
    """To each process that answers: what is no message, what has no id, what is no request, and what is too long."""
    children = robot.children()
    for name in ("safety-command", "supervisor-control", "cell-control", "cell-bus", "cell-camera"):
        path = robot.data / "run" / f"{name}.sock"
        with socket.socket(socket.AF_UNIX) as stranger:
            stranger.connect(str(path))
            stranger.sendall(b"GET / HTTP/1.1\r\n\r\n" * 10)
        with Dealer(path) as peer:
            peer.send(b"one frame")
            peer.send(b"an id that is none", b"")
            peer.send(struct.pack("<Q", 1), b"one", b"too many")
            peer.send(struct.pack("<Q", 2), b"\xff" * 64)
            if name in ("safety-command", "supervisor-control"):
                answer = peer.receive()
                check(answer[0] == struct.pack("<Q", 2) and b"malformed" in answer[1],
                      f"{name} names what it was sent: {answer}")
        with Dealer(path) as giant:
            try:
                giant.send(struct.pack("<Q", 3), bytes(64 << 20))
            except OSError:
                pass  # The peer hangs up on what is too long.
        practises_on(robot)
    for process in ("safety", "supervisor"):
        await_that(lambda: robot.metric(MALFORMED, f'process="{process}"') >= 3, f"{process} counts them", GO_ON_S)
    check(robot.children() == children, "malformed messages end no process")


def learned_versions(robot):
    """Task -> newest version that acted in a closed episode."""
    query = ("SELECT task, max(policy_version) FROM episode WHERE skill = 'learned' AND outcome != 'running' "
             "GROUP BY task")
    return {task: version for file in robot.day_files() for task, version in robot.rows(file, query)}


def learned_episodes(robot):
    return sum(n for file in robot.day_files() for n, in robot.rows(
        file, "SELECT count(*) FROM episode WHERE skill = 'learned' AND outcome NOT IN ('running', 'interrupted')"))


def check_corrupt_snapshot(robot):
    """A file that claims to be a much newer policy: counted, never used, and it hides no later policy."""
    task, version = "pick", learned_versions(robot)["pick"]  # The one that is practised most: others wait their turn.
    good = max((robot.data / "snapshots").glob(f"{task}-*.nspolicy"))
    broken = bytearray(good.read_bytes())
    broken[len(broken) // 2] ^= 1
    bad_version = 10 ** 6
    (robot.data / "snapshots" / f"{task}-{bad_version}.nspolicy").write_bytes(broken)
    await_that(lambda: robot.metric(FAULTS, CORRUPT, 'process="supervisor"') >= 1, "the fault is counted", GO_ON_S,
               robot.alive)
    before = learned_episodes(robot)
    await_that(lambda: learned_episodes(robot) > before + 2, "learned policies go on", LEARNED_S, robot.alive)
    check(all(v < bad_version for v in learned_versions(robot).values()), "the corrupt policy never acts")
    await_that(lambda: learned_versions(robot)[task] > version, "later policies still take over", LEARNED_S,
               robot.alive)
    check(robot.metric(FAULTS, CORRUPT, 'process="supervisor"') == 1, "one file is reported once")
    (robot.data / "snapshots" / f"{task}-{bad_version}.nspolicy").unlink()


def check_audit(robot):
    """The audit's chain holds after a run; a changed line shows, by file and number."""
    answer = robot.ask("audit", "verify", "--data", str(robot.data))
    check(answer.returncode == 0 and "records" in answer.stdout, f"a good audit: {answer.stdout}{answer.stderr}")
    file = min((robot.data / "audit").glob("*.jsonl"))
    good = file.read_bytes()
    lines = good.splitlines(keepends=True)
    file.write_bytes(b"".join([lines[0].replace(b"restarted", b"operator", 1), *lines[1:]]))
    check(file.read_bytes() != good, "the first stop is a restart")
    answer = robot.ask("audit", "verify", "--data", str(robot.data))
    check(answer.returncode != 0 and f"{file.name} line 1" in answer.stderr, f"a changed audit: {answer.stderr}")
    file.write_bytes(good)


def check_all_snapshots_corrupt(robot):
    """Every policy on disk is damaged between two runs: the fault is counted and practice goes on, as scripted."""
    committed = robot.episodes()
    for file in (robot.data / "snapshots").glob("*.nspolicy"):
        file.write_bytes(file.read_bytes()[:-40])
    robot.run("--robot-time", "10h")
    await_that(lambda: robot.metric(FAULTS, CORRUPT, 'process="supervisor"') >= 1, "the fault is counted", START_S,
               robot.alive)
    practises_on(robot, sum(e.outcome != "interrupted" for e in committed.values()))
    check(robot.stop() == 0, "the run on damaged snapshots exits 0")
    after = robot.episodes()
    check(all(after.get(id) == e for id, e in committed.items()), "no episode is lost or changed")


def main():
    with Robot(arguments()) as robot:
        begin = time.monotonic()

        def say(what):
            print(f"{time.monotonic() - begin:5.0f} s  {what}", flush=True)

        check_configurations(robot)
        say("bad configurations are refused")
        check_command_lines(robot)
        check_evaluations(robot)
        say("command lines and evaluations that cannot be are refused")
        robot.run("--robot-time", "10h")
        await_that(lambda: robot.practised() >= 1, "practice begins", START_S, robot.alive)
        check_second_instance(robot)
        say("a second instance is refused")
        check_restart_beside_orphans(robot)
        say("a run waits for what an earlier one left behind")
        check_malformed_messages(robot)
        say("malformed messages are dropped")
        await_that(lambda: "pick" in learned_versions(robot), "a learned policy picks", LEARNED_S, robot.alive)
        check_corrupt_snapshot(robot)
        say("a corrupt snapshot is not used")
        await_that(lambda: robot.catalogue("SELECT 1 FROM snapshot WHERE state = 'promoted'"), "a policy is promoted",
                   LEARNED_S, robot.alive)  # The next run must miss it: only what has succeeded once is promoted.
        check(robot.stop() == 0, "the run exits 0")
        check_audit(robot)
        say("a changed audit shows")
        check_all_snapshots_corrupt(robot)
        say("a run begins with nothing but corrupt snapshots")
    return 0


if __name__ == "__main__":
    sys.exit(main())
