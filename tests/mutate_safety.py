#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Changes safety/ in one place at a time and asks its tests whether they notice.

A mutant is one such change: another operator or number, a condition's negation, a statement left out. It is built into
the tests of tests/safety; one that fails, crashes or does not end has killed it. A mutant that does not compile, or
that compiles to what was there before, is none. mutate_safety_survivors.txt lists those that may live, and why; any
other survivor is a line that no test holds. Needs no build of the project: everything lies in a scratch folder.

  tests/mutate_safety.py --files filter.cc checks/stall.cc     all mutants of two files
  tests/mutate_safety.py --sample 150 --seed 2                 some of all files
  tests/mutate_safety.py --log FILE --share 1/2                all, beside another process that has --share 2/2; a later
                                                               run goes on, and one without --share sums up
  tests/mutate_safety.py --coverage                            lines and branches instead, by gcov
"""
import argparse
import collections
import dataclasses
import functools
import hashlib
import json
import os
import pathlib
import random
import re
import resource
import shlex
import shutil
import subprocess
import sys
import tempfile

from tidy_test import NOT_FUNCTIONS, ROOT, function_lengths, name, without_text

SURVIVORS = pathlib.Path(__file__).with_name("mutate_safety_survivors.txt")
DEFINITIONS = [f'-DNIGHTSHIFT_SOURCE_DIR="{ROOT}"',  # As tests/safety/CMakeLists.txt has them.
               f'-DCELL_MODEL_FILE="{ROOT}/configs/cell/tabletop.xml"']
SCORE_PERCENT_MIN = 95.0
SLOW_TEST_S = 0.1  # Such a test runs after all quicker ones.
MEMORY_BYTES_MAX = 4 << 30
FILE_BYTES_MAX = 256 << 20


# What is changed. clang-format has put a space on both sides of every binary operator and of nothing else.

BINARY = {"<": ["<=", ">="], "<=": ["<", ">"], ">": [">=", "<="], ">=": [">", "<"], "==": ["!="], "!=": ["=="],
          "&&": ["||"], "||": ["&&"], "+": ["-"], "-": ["+"], "*": ["/"], "/": ["*"], "%": ["/"], "&": ["|"], "|": ["&"],
          "^": ["&"], "<<": [">>"], ">>": ["<<"], "+=": ["-="], "-=": ["+="], "*=": ["/="], "/=": ["*="], "|=": ["&="], "&=": ["|="]}
WORDS = {"true": ["false"], "false": ["true"], "std::min": ["std::max"], "std::max": ["std::min"],
         "std::min_element": ["std::max_element"], "std::max_element": ["std::min_element"],
         "std::all_of": ["std::any_of"], "++": ["--"], "--": ["++"]}
BINARY_OPERATOR = re.compile(r"(?<!template)(?<=\s)(?:[-+*/|&]=|[<>=!]=|&&|\|\||<<|>>|[-<>+*/%&|^])(?=\s)")
UNARY_OPERATOR = re.compile(r"!(?=[\w(])|(?<=[\s({\[])[-~](?=[\w(])")
WORD = re.compile(r"(?<![\w:])(?:true|false|std::(?:min|max)(?:_element)?|std::all_of)\b|\+\+|--")
NUMBER = re.compile(r"(?<![\w.'])(?:0x[0-9A-Fa-f]+|\d[\d.']*(?:e-?\d+)?)u?\b")


def other_numbers(number):
    """Twice as much, one more, and none, each of the same type."""
    is_real = "." in number or "e" in number and "x" not in number
    none, one = ("0.0", "1.0") if is_real else ("0", "1")
    if not number.strip("0.'"):
        return [one]
    if number == "1":
        return ["2", none]
    return [f"(2 * {number})", f"({number} + 1)", none]


TOKENS = [(BINARY_OPERATOR, BINARY.get), (UNARY_OPERATOR, lambda _: [""]), (WORD, WORDS.get), (NUMBER, other_numbers)]


@dataclasses.dataclass(frozen=True)
class Mutant:
    file: str  # Below safety/.
    begin: int
    end: int
    new: str
    line: int
    change: str  # The line, with what was changed: a [< -> <=] b. Names the mutant, wherever the line moves to.


def mutant_of(file, text, begin, end, new):
    first, last = text.rfind("\n", 0, begin) + 1, text.find("\n", end)
    change = f"{text[first:begin]}[{text[begin:end]} -> {new}]{text[end:last].split('//')[0]}"
    return Mutant(file, begin, end, new, text.count("\n", 0, begin) + 1, " ".join(change.split()))


def token_changes(code):
    for pattern, others in TOKENS:
        for match in pattern.finditer(code):
            for new in others(match.group()):
                yield match.start(), match.end(), new


def closing(code, opening):
    """Where the bracket that opens at `opening` closes."""
    depth = 0
    for i in range(opening, len(code)):
        depth += (code[i] in "([{") - (code[i] in ")]}")
        if depth == 0:
            return i
    raise ValueError("a bracket does not close")


CONTROL = re.compile(r"\s*(?:else\b(?!\s+if)|(?:else\s+)?(?:if|for|while|switch)(?:\s+constexpr)?\s*(\()|case\s+[\w:]+:)")
SAYS = re.compile(r"(?!(?:return|throw|static_assert|using|case)\b)"
                  r"(?:\(.+\)\s*=|(?:\+\+|--|\*)?[\w:]+(?:[.(\[]|->|\s*[-+*/|&%]?=[^=]|\s*\?|\+\+|--))", re.S)


def after_control(code, begin):
    """Where the statement begins that an if, else, for or case governs; `begin` where there is none."""
    while match := CONTROL.match(code, begin):
        begin = closing(code, match.start(1)) + 1 if match.group(1) else match.end()
    return begin


def statements(code):
    """(begin, end, whether something is left after it) of each simple statement in a function."""
    begin, brackets, blocks = 0, 0, []  # Of each open block: "" outside functions, "{" in one, "[" a lambda, "(" its body.
    for i, c in enumerate(code):
        opens_block = c == "{" and brackets == 0 and (code[i + 1].isspace() or code[i - 1:i + 2] == " {}")
        if c in "([" or c == "{" and not opens_block:
            brackets += 1
        elif c in ")]" or c == "}" and brackets > 0:
            brackets -= 1
        elif opens_block:
            blocks.append(kind_of_block(code[begin:i], blocks))
            begin = i + 1
        elif c == "}" and blocks:
            blocks.pop()
            begin = i + 1
        elif c == ";" and brackets == 0:
            if blocks and blocks[-1]:
                start = after_control(code, begin)
                start += len(code[start:]) - len(code[start:].lstrip())
                yield start, i + 1, blocks[-1] == "{" or after_control(code, begin) > begin
            begin = i + 1


def kind_of_block(head, blocks):
    if "](" in head or head.rstrip().endswith("]"):
        return "["
    if any(blocks):
        return "{"
    return "(" if "(" in head and not NOT_FUNCTIONS.match(head) else ""


def dropped_statements(code):
    for begin, end, goes_on in statements(code):
        statement = code[begin:end]
        leaves = re.match(r"(return|continue|break)\b", statement)
        if leaves and goes_on or not leaves and SAYS.match(statement):
            yield begin, end, ";"


def mutants_of(path):
    """In the order of the text; each change once."""
    text = path.read_text()
    code = re.sub(r"^[ \t]*#.*|\bstatic_assert\(.*", lambda m: " " * len(m.group()), without_text(text), flags=re.M)
    changes = sorted(set(token_changes(code)) | set(dropped_statements(code)))
    return numbered([mutant_of(str(path.relative_to(ROOT / "safety")), text, *change) for change in changes])


def numbered(mutants):
    """Where two lines are the same, so are their changes: the second's names end in #2."""
    seen = collections.Counter()
    for mutant in mutants:
        seen[mutant.change] += 1
        again = f" #{seen[mutant.change]}" if seen[mutant.change] > 1 else ""
        yield dataclasses.replace(mutant, change=mutant.change + again)


def mutable_files():
    """All sources, and the headers with code in them."""
    paths = sorted((ROOT / "safety").rglob("*"))
    return [p for p in paths if p.suffix == ".cc" or p.suffix == ".h" and any(function_lengths(p.read_text()))]


# Who includes whom.

def included(file, seen=None):
    """All files of ours that a file includes, itself among them; by their paths from the root."""
    seen = set() if seen is None else seen
    if file not in seen and (ROOT / file).is_file():
        seen.add(file)
        for other in re.findall(r'^#include "([^"]+)"', (ROOT / file).read_text(), re.M):
            included(other, seen)
    return seen


def reached(source):
    """All that a source's program may run: what it includes, and the sources that stand behind the headers."""
    files, fresh = set(), {source}
    while fresh:
        files |= fresh
        fresh = {other for file in fresh for other in included(file)}
        fresh |= {file[:-2] + ".cc" for file in fresh if file.endswith(".h") and (ROOT / (file[:-2] + ".cc")).is_file()}
        fresh -= files
    return files


# Building and running.

class Program:
    """The tests of tests/safety, built file by file in a scratch folder."""

    def __init__(self, scratch, options):
        self.overlay, self.objects, self.run_folder = scratch / "overlay", scratch / "objects", scratch / "run"
        self.options = options
        self.sources = [name(path) for folder in ("core", "safety", "tests/safety")
                        for path in sorted((ROOT / folder).rglob("*.cc"))]
        packages = [subprocess.run(["pkg-config", option, "libsodium", "gtest_main", "gmock"], check=True, text=True,
                                   capture_output=True).stdout for option in ("--cflags", "--libs")]
        self.cflags, self.libs = map(shlex.split, packages)
        self.libs.append("-lmujoco")  # It has no pkg-config file.
        self.includes = {source: included(source) for source in self.sources}

    def compile(self, source, folder):
        """The object file; nothing if it does not compile. The overlay's safety/ goes before the tree's."""
        code = self.overlay / source if (self.overlay / source).is_file() else ROOT / source
        made = folder / (source.replace("/", "_") + ".o")
        command = [os.environ.get("CXX", "g++"), "-std=c++20", *self.options, "-w", "-fno-math-errno",
                   "-iquote", self.overlay, "-iquote", ROOT, *self.cflags, "-c", code, "-o", made]
        return made if self.succeeds(command) else None

    def link(self, made):
        """The program with some objects in place of those that are kept."""
        objects = [made.get(s, self.objects / (s.replace("/", "_") + ".o")) for s in self.sources]
        program = self.overlay.parent / "tests"
        command = [os.environ.get("CXX", "g++"), *self.options, *objects, *self.libs, "-pthread", "-o", program]
        return program if self.succeeds(command) else None

    def build_all(self):
        shutil.copytree(ROOT / "safety", self.overlay / "safety")
        self.objects.mkdir()
        for source in self.sources:
            if not self.compile(source, self.objects):
                sys.exit(f"{source} does not compile")
        return self.link({}) or sys.exit("the tests do not link")

    @staticmethod
    def succeeds(command):
        return subprocess.run(command, capture_output=True).returncode == 0

    def passes(self, program, tests, cpu_s):
        """Do the tests pass within their time? That is of the processor, so that a busy machine kills no mutant."""
        shutil.rmtree(self.run_folder, ignore_errors=True)
        self.run_folder.mkdir()
        command = [program, "--gtest_fail_fast", f"--gtest_filter={':'.join(tests)}", "--gtest_output=json:report.json"]
        try:
            ended = subprocess.run(command, cwd=self.run_folder, env={**os.environ, "TEST_TMPDIR": str(self.run_folder)},
                                   capture_output=True, timeout=10 * cpu_s, preexec_fn=lambda: limit_process(cpu_s))
        except subprocess.TimeoutExpired:
            return False
        return ended.returncode == 0


def limit_process(cpu_s):
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_BYTES_MAX, FILE_BYTES_MAX))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


@dataclasses.dataclass(frozen=True)
class Test:
    name: str
    source: str
    seconds: float


def measured_tests(program, binary):
    """All tests, which must pass while nothing is changed, with the time that each takes."""
    if not program.passes(binary, ["*"], cpu_s=600):
        sys.exit("the tests fail as they are")
    suites = json.loads((program.run_folder / "report.json").read_text())["testsuites"]
    return [Test(f"{suite['name']}.{test['name']}", name(pathlib.Path(test["file"])), float(test["time"].rstrip("s")))
            for suite in suites for test in suite["testsuite"]]


def rounds(tests, file, quick_only):
    """The tests that may notice a change of the file: its own, then other quick ones, then the slow ones one by one."""
    source = f"tests/safety/{pathlib.Path(file).stem}_test.cc"
    relevant = [t for t in tests if f"safety/{file}" in reached(t.source)]
    quick = [t for t in relevant if t.seconds < SLOW_TEST_S]
    slow = sorted((t for t in relevant if t.seconds >= SLOW_TEST_S), key=lambda t: t.seconds)
    own = [t for t in quick if t.source == source]
    others = [t for t in quick if t not in own]
    return [r for r in [own, others, *([t] for t in slow if not quick_only)] if r]


class Trial:
    """Judges mutants one after the other."""

    def __init__(self, program, quick_only):
        self.program, self.quick_only = program, quick_only
        self.tests = measured_tests(program, program.build_all())
        self.rounds = {}

    def outcome(self, mutant):
        """None if there is nothing to notice: it does not compile, or to the same objects."""
        path = self.program.overlay / "safety" / mutant.file
        text = path.read_text()
        path.write_text(text[:mutant.begin] + mutant.new + text[mutant.end:])
        binary = self.built(f"safety/{mutant.file}")
        path.write_text(text)
        if not binary:
            return "none"
        if mutant.file not in self.rounds:
            self.rounds[mutant.file] = rounds(self.tests, mutant.file, self.quick_only)
        return "survived" if all(self.passes(binary, tests) for tests in self.rounds[mutant.file]) else "killed"

    def passes(self, binary, tests):
        return self.program.passes(binary, [t.name for t in tests], cpu_s=3 + int(10 * sum(t.seconds for t in tests)))

    def built(self, file):
        folder = self.program.overlay.parent / "changed"
        folder.mkdir(exist_ok=True)
        made = {}
        for source in (s for s, files in self.program.includes.items() if file in files):
            made[source] = self.program.compile(source, folder)
            if not made[source]:
                return None
        same = all(o.read_bytes() == (self.program.objects / o.name).read_bytes() for o in made.values())
        return None if same else self.program.link(made)


# What comes of it.

def listed_survivors():
    """{(file, change): why it may live}"""
    lines = SURVIVORS.read_text().splitlines() if SURVIVORS.is_file() else []
    entries = [line.split(" // ", 2) for line in lines if line and not line.startswith("#")]
    return {(file, change): why for file, change, why in entries}


class Log:
    """What has been found of mutants, one JSON object a line. What was killed stays so as long as its file does: tests
    only become more. A survivor is tried again."""

    def __init__(self, file):
        self.file, self.known, self.sources = file, {}, {}
        for line in file.read_text().splitlines() if file and file.is_file() else []:
            entry = json.loads(line)
            if entry["outcome"] != "survived":
                self.known[entry["file"], entry["change"], entry["source"]] = entry["outcome"]

    def source(self, file):
        if file not in self.sources:
            self.sources[file] = hashlib.sha256((ROOT / "safety" / file).read_bytes()).hexdigest()[:16]
        return self.sources[file]

    def outcome(self, mutant):
        return self.known.get((mutant.file, mutant.change, self.source(mutant.file)))

    def add(self, mutant, outcome):
        if self.file:
            entry = {"file": mutant.file, "change": mutant.change, "source": self.source(mutant.file), "outcome": outcome}
            with self.file.open("a") as stream:
                stream.write(json.dumps(entry) + "\n")


class Tally:
    def __init__(self):
        self.counts = collections.defaultdict(collections.Counter)

    def add(self, mutant, outcome):
        self.counts[mutant.file][outcome] += 1
        self.counts["total"][outcome] += 1

    @staticmethod
    def score(count):
        judged = count["killed"] + count["survived"]
        return 100.0 * count["killed"] / judged if judged else 100.0

    def show(self):
        print(f"{'file':28} mutants  killed  survived  listed  no change  score")
        for file in sorted(self.counts, key=lambda f: (f == "total", f)):
            c = self.counts[file]
            mutants = c["killed"] + c["survived"] + c["listed"]
            print(f"{file:28} {mutants:7} {c['killed']:7} {c['survived']:9} {c['listed']:7} {c['none']:10} "
                  f"{self.score(c):5.1f} %")


def judge(mutants, trial, log):
    listed, tally = listed_survivors(), Tally()
    try:
        for mutant in mutants:
            outcome = "listed" if (mutant.file, mutant.change) in listed else log.outcome(mutant)
            if not outcome:
                outcome = trial().outcome(mutant)
                log.add(mutant, outcome)
            tally.add(mutant, outcome)
            if outcome == "survived":
                print(f"survived  safety/{mutant.file}:{mutant.line}  {mutant.change}", flush=True)
    except KeyboardInterrupt:
        print("interrupted; so far:")
    tally.show()
    return 0 if tally.score(tally.counts["total"]) >= SCORE_PERCENT_MIN else 1


def outdated(paths):
    """What is listed of these files and can no longer be made."""
    made = {(m.file, m.change) for path in paths for m in mutants_of(path)}
    files = {str(path.relative_to(ROOT / "safety")) for path in paths}
    return [f"{file} // {change}" for file, change in listed_survivors() if file in files and (file, change) not in made]


# Coverage.

def covered(text):
    """(lines run, lines, branches taken, branches) of one file of gcov -b -c. The way of an exception is no branch, and
    what a template's instances run is summed."""
    text = re.sub(r"^branch .*\(fallthrough\)\nbranch .*\(throw\)\n|^branch .*\(throw\)\n", "", text, flags=re.M)
    lines, branches, line = {}, {}, None
    for m in re.finditer(r"^ *([\d#=]+)\*?: *([1-9]\d*):|^branch +(\d+) (?:taken (\d+)|never)", text, re.M):
        if m.group(1):
            line = m.group(2)
            lines[line] = lines.get(line, False) or m.group(1)[0] not in "#="
        else:
            branch = line, m.group(3)
            branches[branch] = branches.get(branch, False) or m.group(4) not in (None, "0")
    return sum(lines.values()), len(lines), sum(branches.values()), len(branches)


def show_coverage(scratch):
    program = Program(scratch, ["-O0", "--coverage", *DEFINITIONS])
    if not program.passes(program.build_all(), ["*"], cpu_s=600):
        sys.exit("the tests fail as they are")
    objects = [program.objects / (s.replace("/", "_") + ".o") for s in program.sources]
    subprocess.run(["gcov", "-b", "-c", "-p", *objects], cwd=scratch, check=True, capture_output=True)
    total = [0, 0, 0, 0]
    for report in sorted(scratch.glob("*.gcov")):
        text = report.read_text()
        source = pathlib.Path(re.search(r"Source:(.*)", text).group(1))
        if source.is_relative_to(program.overlay):
            counts = covered(text)
            total = [a + b for a, b in zip(total, counts)]
            show_share(source.relative_to(program.overlay), counts)
    show_share("total", total)
    return 0


def show_share(title, counts):
    run, lines, taken, branches = counts
    print(f"{str(title):32} lines {run:5} of {lines:5} = {100 * run / max(lines, 1):5.1f} %   "
          f"branches {taken:5} of {branches:5} = {100 * taken / max(branches, 1):5.1f} %")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", nargs="+", metavar="FILE", help="below safety/; all if left out")
    parser.add_argument("--sample", type=int, metavar="N", help="so many mutants at random")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--log", type=pathlib.Path, help="keeps what is found; what it knows is not tried again")
    parser.add_argument("--share", default="1/1", metavar="I/N", help="each Nth mutant only, beginning with the Ith")
    parser.add_argument("--list", action="store_true", help="print the mutants and run none")
    parser.add_argument("--quick", action="store_true", help="leave slow tests out: what survives may be killed by them")
    parser.add_argument("--coverage", action="store_true", help="measure lines and branches instead")
    args = parser.parse_args()
    paths = [ROOT / "safety" / file for file in args.files] if args.files else mutable_files()
    mutants = [m for path in paths for m in mutants_of(path)]
    if args.sample is not None and args.sample < len(mutants):
        chosen = set(random.Random(args.seed).sample(range(len(mutants)), args.sample))
        mutants = [m for i, m in enumerate(mutants) if i in chosen]
    share, shares = map(int, args.share.split("/"))
    mutants = mutants[share - 1::shares]
    if args.list:
        print("\n".join(f"safety/{m.file}:{m.line}  {m.change}" for m in mutants))
        return 0
    if old := outdated(paths):
        sys.exit(f"{SURVIVORS.name} lists what can no longer be made:\n" + "\n".join(old))
    with tempfile.TemporaryDirectory(prefix="mutate-safety-") as scratch:
        folder = pathlib.Path(scratch)
        if args.coverage:
            return show_coverage(folder)
        trial = functools.cache(lambda: Trial(Program(folder, ["-O1", *DEFINITIONS]), args.quick))
        return judge(mutants, trial, Log(args.log))


if __name__ == "__main__":
    sys.exit(main())
