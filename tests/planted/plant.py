#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Plants the bugs of planted_bugs.toml: each is the real source with one text replaced.

  plant.py --list               name and file of each, one line a bug
  plant.py NAME OUTPUT          the source with this bug; fails where the text is not there exactly once
"""
import pathlib
import sys
import tomllib

ROOT = pathlib.Path(__file__).resolve().parents[2]
TABLE = pathlib.Path(__file__).with_name("planted_bugs.toml")


def planted(bug):
    """The changed source."""
    text = (ROOT / bug["file"]).read_text()
    if text.count(bug["find"]) != 1:
        sys.exit(f"{TABLE.name}: {bug['name']}: its text to replace occurs {text.count(bug['find'])} times in {bug['file']}, "
                 f"and must once. The code has changed: plant the same bug in it as it is now. It is:\n{bug['find']}\n"
                 f"Why it is there: {bug['why']}")
    return text.replace(bug["find"], bug["replace"])


def main():
    bugs = {bug["name"]: bug for bug in tomllib.loads(TABLE.read_text())["bug"]}
    if sys.argv[1:] == ["--list"]:
        print("\n".join(f"{name} {bug['file']}" for name, bug in bugs.items()))
    elif len(sys.argv) == 3 and sys.argv[1] in bugs:
        output = pathlib.Path(sys.argv[2])
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(planted(bugs[sys.argv[1]]))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
