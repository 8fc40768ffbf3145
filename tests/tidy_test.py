#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reads the source tree as text and checks what the compiler does not (STYLE.md, section 3)."""
import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDERS = ["core", "safety", "skills", "monitoring", "io", "recovery", "learner", "runtime", "tests"]
FUNCTION_LINES_MAX = 70
LINE_COLUMNS_MAX = 120

# What must not occur, where it may all the same, and what to use instead. Paths are prefixes.
BANS = [
    (r"system_clock::now", ["io/", "monitoring/", "runtime/apps/", "runtime/cli/check.cc", "tests/"], "pass the time in"),
    (r"steady_clock::now", ["io/", "monitoring/", "runtime/", "learner/", "safety/", "tests/"], "pass the time in"),
    (r"std::(cout|cerr)\b", ["tests/"], "fmt::print in the command line, monitoring elsewhere"),
    (r"\b(sleep_for|usleep|nanosleep)\b", ["io/", "runtime/", "safety/"], "a condition with a bounded wait, or a hand-driven clock"),
    (r"std::random_device|\bs?rand\(", ["runtime/apps/"], "core::Random, seeded and passed in"),
    (r"\b(TODO|FIXME|XXX|HACK)\b", [], "do it, or open an issue"),
    (r"GTEST_SKIP|DISABLED_", [], "fix the test or delete it"),
    (r"\bif\s*\([^)]*\bsimulated\b", ["io/", "tests/"], "an interface that sim and real share"),
    (r"using namespace std\b", [], "qualified names"),
    (r"^\s*#include\s+\"\.\./", [], "a path from the root: \"core/...\""),
    (r"\bconst_cast<[^>]*&>", [], "a type that says what it allows"),
]
# Libraries that stay out of headers, and the folders whose own headers may name them.
PRIVATE_HEADERS = re.compile(r"#include\s+<(opencv2|torch|ATen|mujoco|EGL|zmq|sqlite3|toml\+\+|spdlog|prometheus|muParser|cblas|sodium|CLI)")


def sources(*suffixes, folders=FOLDERS):
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in suffixes and path.is_file():
                yield path


def name(path):
    return str(path.relative_to(ROOT))


def without_text(code):
    """The code with comments and literals blanked; line breaks stay."""
    token = re.compile(r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])\'', re.S)
    return token.sub(lambda m: re.sub(r"[^\n]", " ", m.group(0)), code)


NOT_FUNCTIONS = re.compile(r"^\s*(template\s*<[^{]*>\s*)?(inline\s+)?(namespace|class|struct|enum|union|extern)\b")


def function_lengths(code):
    """(first line, lines) of each function body at namespace or class level."""
    code = re.sub(r"^[ \t]*#(?:[^\n\\]|\\.)*", lambda m: "\n" * m.group(0).count("\n"), without_text(code), flags=re.M | re.S)
    begin, depth_in_function, stack = 0, 0, []
    for i, c in enumerate(code):
        if c == "{":
            head = code[begin:i]
            is_function = depth_in_function == 0 and "(" in head and not NOT_FUNCTIONS.match(head)
            stack.append((is_function, begin + len(head) - len(head.lstrip())))
            depth_in_function += is_function
        elif c == "}" and stack:
            is_function, start = stack.pop()
            depth_in_function -= is_function
            if is_function:
                yield code.count("\n", 0, start) + 1, code.count("\n", start, i) + 1
        if c in "{};":
            begin = i + 1


class Tree(unittest.TestCase):
    longMessage = False

    def none(self, findings):
        self.assertFalse(findings, "\n" + "\n".join(findings))


class Sources(Tree):
    def test_no_function_is_longer_than_a_screen(self):
        self.none([f"{name(p)}:{line}: function of {length} lines; at most {FUNCTION_LINES_MAX}"
                   for p in sources(".h", ".cc") for line, length in function_lengths(p.read_text())
                   if length > FUNCTION_LINES_MAX])

    def test_the_measure_of_a_function_is_right(self):
        code = "namespace a {\nint F(int x) {\n  if (x) {\n  }\n  return 1;\n}\nstruct B {\n  int g() { return 2; }\n};\n}\n"
        self.assertEqual(list(function_lengths(code)), [(2, 5), (8, 1)])

    def test_no_line_is_too_long(self):
        self.none([f"{name(p)}:{i}: {len(line)} columns; at most {LINE_COLUMNS_MAX}"
                   for p in sources(".h", ".cc") for i, line in enumerate(p.read_text().splitlines(), 1)
                   if len(line) > LINE_COLUMNS_MAX])

    def test_every_file_begins_with_its_licence(self):
        self.none([name(p) for p in sources(".h", ".cc", ".proto") if "SPDX-License-Identifier: Apache-2.0" not in p.read_text()[:200]])

    def test_every_header_is_included_once(self):
        self.none([name(p) for p in sources(".h") if "#pragma once" not in p.read_text()])

    def test_nothing_banned_occurs(self):
        findings = []
        for path in sources(".h", ".cc"):
            for i, line in enumerate(without_text_but_comments(path.read_text()).splitlines(), 1):
                for pattern, allowed, instead in BANS:
                    if re.search(pattern, line) and not any(name(path).startswith(a) for a in allowed):
                        findings.append(f"{name(path)}:{i}: {line.strip()}   (instead: {instead})")
        self.none(findings)

    def test_libraries_stay_out_of_headers(self):
        self.none([f"{name(p)}: {m.group(0)}" for p in sources(".h", folders=FOLDERS[:-1])
                   if not name(p).startswith("monitoring/")  # Nothing above includes these two; its contract is plain.
                   for m in [PRIVATE_HEADERS.search(p.read_text())] if m])

    def test_every_source_is_in_a_target(self):
        findings = []
        for path in sources(".cc"):
            if not any((folder / "CMakeLists.txt").is_file() and
                       re.search(r"(?<![\w/])" + re.escape(str(path.relative_to(folder))) + r"(?![\w.])",
                                 (folder / "CMakeLists.txt").read_text())
                       for folder in path.parents if folder.is_relative_to(ROOT)):
                findings.append(f"{name(path)}: no CMakeLists.txt names it")
        self.none(findings)

    def test_every_fault_code_is_provoked_in_a_test(self):
        tests = "\n".join(p.read_text() for p in sources(".cc", ".h", folders=["tests"]))
        self.none([f"FaultCode::{code} occurs in no test" for code in enumerators("core/fault.h", "FaultCode")
                   if code not in tests])


def without_text_but_comments(code):
    """Literals blanked, comments kept: a ban on TODO is about comments."""
    return re.sub(r'"(?:\\.|[^"\\\n])*"', lambda m: '"' + m.group(0)[1:-1] + '"' if "#include" in m.group(0) else '""', code) \
        if '#include "../' not in code else code


def enumerators(header, enum):
    body = re.search(r"enum class " + enum + r"[^{]*\{(.*?)\}", (ROOT / header).read_text(), re.S).group(1)
    return re.findall(r"\b(k[A-Z]\w*)", re.sub(r"//[^\n]*", "", body))


def words(enum):
    """The text forms that core/names.cc gives an enum."""
    return re.findall(enum + r"::k\w+: return \"(\w+)\"", (ROOT / "core/names.cc").read_text())


class Configuration(Tree):
    HEADERS = ["learner/config.h", "learner/offline_config.h", "runtime/practice_config.h", "recovery/plan.h", "safety/config.h", "io/robot/cell/cell_config.h",
               "io/camera/config.h", "skills/scene.h"]
    # Fields that are filled otherwise: parts, or derived from another part.
    NOT_KEYS = {"agent", "plan", "drives", "mess", "mess_name", "arm", "axes", "tray", "bin", "camera", "objects",
                "offline", "cloning", "implicit_q", "conservative_q"}
    STRUCTS = r"struct (\w*Config|AgentConfig|Limits|Scene|ObjectLook)\b[^{;]*\{(.*?)\n\};"

    def test_every_field_has_a_key(self):
        keys = "".join(p.read_text() for p in sorted((ROOT / "runtime").glob("*_keys.cc")))
        missing = []
        for header in self.HEADERS:
            for struct, body in re.findall(self.STRUCTS, (ROOT / header).read_text(), re.S):
                plain = re.sub(r"<[^<>]*>", "", re.sub(r"//[^\n]*", "", body))
                for statement in re.sub(r"\{[^{}]*\}", "", re.sub(r"\{[^{}]*\}", "", plain)).split(";"):
                    if "(" in statement.replace("std::", "") or not statement.strip():
                        continue
                    for field in re.findall(r"(?<![\w:])([a-z]\w*)\s*(?:=[^,]*)?(?:,|$)", statement.strip() + ""):
                        if field not in self.NOT_KEYS and not re.search(r"[.]" + field + r"\b", keys):
                            missing.append(f"{header}: {struct}::{field} has no key in runtime/*_keys.cc")
        self.none(missing)


class Documents(Tree):
    FILE = re.compile(r"`((?:[\w.-]+/)*[\w.-]+\.(?:h|cc|md|toml|proto|xml|py|json|yml|yaml|service|target|cmake|txt))`")
    FOLDER = re.compile(r"`((?:[\w.-]+/)+)`")

    def named(self, document):
        text = (ROOT / document).read_text()
        return self.FILE.findall(text) + self.FOLDER.findall(text)

    def test_the_architecture_names_only_files_that_exist(self):
        self.assertTrue((ROOT / "docs/architecture.md").is_file(), "docs/architecture.md is missing")
        names = self.named("docs/architecture.md")
        self.assertGreater(len(names), 10, "docs/architecture.md should name the files on the path of a transition")
        self.none([f"docs/architecture.md: there is no {n}" for n in names if not (ROOT / n).exists()])

    def test_readme_and_runbook_name_only_files_that_exist(self):
        for document in ["README.md", "docs/runbook.md"]:
            generated = ("build/", "data/", "DIR/")
            self.none([f"{document}: there is no {n}" for n in self.named(document)
                       if not n.startswith(generated) and not (ROOT / n).exists()])

    def test_the_runbook_has_every_fault_and_every_cause_of_a_stop(self):
        runbook = (ROOT / "docs/runbook.md").read_text()
        missing = [w for w in words("FaultCode") + words("StopCause") if w != "none" and f"`{w}`" not in runbook]
        self.none([f"docs/runbook.md says nothing of `{w}`" for w in missing])

    def test_the_packages_are_sorted_and_named_once(self):
        packages = (ROOT / "script/packages").read_text().split()
        self.assertEqual(packages, sorted(set(packages)))


if __name__ == "__main__":
    unittest.main()
