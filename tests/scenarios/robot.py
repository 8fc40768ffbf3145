# SPDX-License-Identifier: Apache-2.0
"""A whole robot for tests: starts `nightshift run`, reads its journal, metrics, status and manifest from outside."""
import argparse
import collections
import hashlib
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import sqlite3
import struct
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

LOOK_EVERY_S = 0.1
START_S = 60.0
STOP_S = 60.0
SANITIZER = re.compile(r"(ERROR|WARNING): \w+Sanitizer|: runtime error: ")
ROLES = ("cell", "safety", "metrics", "learner", "supervisor")

# A quick robot: positions from the cell, little to be shown before a policy acts, snapshots often.
QUICK = {
    "": {"perception": '"ground_truth"'},
    "learner": {"publish_every": "200", "save_every": "200"},
    "learner.agent": {"batch": "64", "width": "64", "demonstrations_start": "4", "samples_start": "400",
                      "clone_updates": "300", "offline_updates": "100", "actor_frozen_updates": "200"},
    "practice": {"demonstrations_wanted": "4", "recovery_demonstrations_wanted": "2", "judged_after_attempts": "3",
                 "person_answers_after_s": "20"},
    "practice.plan": {"failures_for_a_task": "1"},
}


def arguments():
    """Where the programs and the source tree are, from the command line of the test."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--programs", type=pathlib.Path, required=True, help="folder of the six programs")
    parser.add_argument("--source", type=pathlib.Path, required=True, help="root of the source tree")
    parser.add_argument("--seed", type=int, default=7)
    return parser.parse_args()


def check(holds, what):
    if not holds:
        raise AssertionError(what)


def await_that(condition, what, within_s, watch=None):
    """Polls until the condition gives something true; fails with what was missing, or at once when `watch` does."""
    end = time.monotonic() + within_s
    while True:
        found = condition()
        if found:
            return found
        if watch is not None:
            watch()
        if time.monotonic() > end:
            raise AssertionError(f"within {within_s:.0f} s: {what}")
        time.sleep(LOOK_EVERY_S)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def changed(text, changes):
    """A TOML text with {section: {key: value}} set; a section that is not there is added at the end."""
    lines, done, section = [], set(), ""
    lines.append("")
    for key, value in changes.get("", {}).items():
        lines.append(f"{key} = {value}")
    done.add("")
    for line in text.splitlines():
        header = re.match(r"\s*\[+([^\]]+)\]+", line)
        if header:
            section = header.group(1)
        key = re.match(r"\s*(\w+)\s*=", line)
        if key and key.group(1) in changes.get(section, {}):
            continue
        lines.append(line)
        if header and section in changes and section not in done:
            done.add(section)
            lines += [f"{key} = {value}" for key, value in changes[section].items()]
    for section in changes:
        if section not in done:
            lines.append(f"\n[{section}]")
            lines += [f"{key} = {value}" for key, value in changes[section].items()]
    return "\n".join(lines) + "\n"


Episode = collections.namedtuple("Episode", "id task skill policy_version outcome failure steps digest body_digest")


class Robot:
    """One data directory and the programs that work on it. Used as a context: what runs is ended at the end."""

    def __init__(self, options, changes=None):
        self.programs, self.source, self.seed = options.programs, options.source, options.seed
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="nightshift-"))  # Short: socket paths are limited.
        self.data = self.folder / "d"
        self.config = self.folder / "robot.toml"
        self.port = free_port()
        merged = {section: dict(keys) for section, keys in QUICK.items()}
        for section, keys in (changes or {}).items():
            merged.setdefault(section, {}).update(keys)
        merged.setdefault("cell", {})["model_file"] = json.dumps(str(self.source / "configs/cell/tabletop.xml"))
        merged.setdefault("metrics", {})["listen"] = json.dumps(f"127.0.0.1:{self.port}")
        self.config.write_text(changed((self.source / "configs/tabletop.toml").read_text(), merged))
        self.process = None  # NIGHTSHIFT_KEEP in the environment keeps the folder after success too.

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if self.process and self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGCONT)
            self.process.terminate()
            try:
                self.process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        reports = self.sanitizer_reports() if kind is None else []
        if reports:
            print(f"kept for a look: {self.folder}", flush=True)
            raise AssertionError("a sanitizer reported:\n" + "\n".join(reports))
        if kind is None and "NIGHTSHIFT_KEEP" not in os.environ:
            shutil.rmtree(self.folder)
        else:
            print(f"kept for a look: {self.folder}", flush=True)

    def sanitizer_reports(self):
        """First lines of what sanitizers said in any of the programs; always empty without them."""
        files = [self.folder / "run.out", *self.data.glob("log/*")]
        return [f"{file.name}: {line}" for file in files if file.exists()
                for line in file.read_text(errors="replace").splitlines() if SANITIZER.search(line)]

    # ---- Programs ----

    def command(self, *words):
        return [str(self.programs / "nightshift"), *words]

    def ask(self, *words, within_s=30):
        return subprocess.run(self.command(*words), capture_output=True, text=True, timeout=within_s)

    def run(self, *more, speed="max"):
        """Starts practice; the output goes to a file beside the data."""
        with open(self.folder / "run.out", "ab") as out:
            self.process = subprocess.Popen(
                self.command("run", "--config", str(self.config), "--data", str(self.data), "--speed", speed,
                             "--seed", str(self.seed), *more), stdout=out, stderr=subprocess.STDOUT)

    def alive(self):
        if self.process.poll() is not None:
            raise AssertionError(f"nightshift run ended with {self.process.returncode}:\n" +
                                 (self.folder / "run.out").read_text()[-3000:])

    def stop(self):
        """As Ctrl-C does; gives the exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(STOP_S)

    def children(self):
        """Role -> process id of the programs that run."""
        found = {}
        for task in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                stat = (task / "stat").read_text()
                words = (task / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            state, parent = stat.rsplit(")", 1)[1].split()[:2]
            name = os.path.basename(words[0].decode())
            if int(parent) == self.process.pid and state != "Z" and name.startswith("nightshift-"):
                found[name.removeprefix("nightshift-")] = int(task.name)
        return found

    def status(self):
        answer = self.ask("status", "--json", "--data", str(self.data))
        return json.loads(answer.stdout) if answer.stdout.strip() else {}

    # ---- What is on disk ----

    def rows(self, file, query, *values):
        """Empty while the file is not there yet, or its killed writer's log waits for the next one to recover it."""
        try:
            connection = sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=10)
            try:
                return connection.execute(query, values).fetchall()
            finally:
                connection.close()
        except sqlite3.OperationalError:
            if file.exists() and not pathlib.Path(f"{file}-wal").exists():
                raise
            return []

    def catalogue(self, query, *values):
        return self.rows(self.data / "journal/catalogue.sqlite", query, *values)

    def day_files(self):
        return sorted((self.data / "journal").glob("journal-*.sqlite"))

    def counts(self):
        """Outcome -> closed episodes; quick enough to poll."""
        counts = collections.Counter()
        for file in self.day_files():
            for outcome, number in self.rows(file, "SELECT outcome, count(*) FROM episode GROUP BY outcome"):
                counts[outcome] += number
        return counts

    def practised(self):
        """Episodes that were closed and count."""
        counts = self.counts()
        return sum(counts.values()) - counts["running"] - counts["interrupted"]

    def episodes(self):
        """Every episode that is closed, by id; fails where one is there twice or its steps are not all there."""
        found = {}
        for file in self.day_files():
            bodies = collections.defaultdict(list)
            episodes = self.rows(file, "SELECT * FROM episode WHERE outcome != 'running' ORDER BY id")
            for episode, step, body in self.rows(file, "SELECT episode, step, body FROM transition ORDER BY 1, 2"):
                bodies[episode].append((step, body))
            for row in episodes:
                steps = bodies[row[0]]
                check(row[0] not in found, f"episode {row[0]} is in two day files")
                check([s for s, _ in steps] == list(range(row[-1])),
                      f"episode {row[0]} says {row[-1]} steps and has {[s for s, _ in steps]}")
                body = hashlib.sha256(b"".join(b for _, b in steps)).hexdigest()
                digest = hashlib.sha256((repr(row) + body).encode()).hexdigest()
                found[row[0]] = Episode(row[0], row[1], row[6], row[7], row[13], row[14], row[15], digest, body)
        return found

    def manifest(self):
        """The learner's header: cursor, steps, agents. Empty where there is none yet."""
        file = self.data / "learner/manifest"
        if not file.exists():
            return {}
        content = file.read_bytes()
        length = struct.unpack_from("<I", content, 12)[0]
        return json.loads(content[16:16 + length])

    def updates(self):
        """Task -> updates in the learner's manifest."""
        return {agent["task"]: agent["state"]["updates"] for agent in self.manifest().get("agents", [])}

    def metrics(self):
        """(name, label text) -> value at the endpoint; empty while nobody answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=2) as answer:
                text = answer.read().decode()
        except (urllib.error.URLError, OSError):
            return {}
        found = {}
        for line in text.splitlines():
            match = re.match(r"([a-z_]+)(\{.*\})? (\S+)$", line)
            if match and not line.startswith("#"):
                found[match.group(1), match.group(2) or ""] = float(match.group(3))
        return found

    def metric(self, name, *labels):
        """Sum over the label sets that hold all of these."""
        return sum(value for (found, text), value in self.metrics().items()
                   if found == name and all(label in text for label in labels))
