#!/usr/bin/env python3
"""layers.py - checks the shape of the tree: who includes whom, headers that stand alone, lengths, blank lines, names of libraries' functions."""
import argparse
import os
import re
import shlex
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

# DESIGN section 12: a file includes its own layer and those before it. One set = siblings, which never include each other.
LAYERS = [
    {"daemon/base"}, {"config"}, {"daemon/model"}, {"daemon/net"}, {"daemon/manifest"},
    {"connectors", "daemon/store", "daemon/decode", "daemon/infer", "daemon/export"},
    {"daemon/sender"}, {"daemon/flow"}, {"daemon/imports"}, {"daemon/stages"}, {"daemon/api", "daemon/cli"}, {"daemon"},
]
# Only one file may include these; the rest of the tree speaks to that file.
OWNED = {"lmdb.h": {"daemon/store/kv.c"}, "yaml.h": {"config/yaml.c"}}
FILE_LINES, FUNCTION_LINES = 500, 60
# Folders in which no files include each other in a circle (a .c and its .h are one).
NO_CIRCLES = {"daemon/flow", "daemon/imports", "daemon/stages"}
# Longer by name, each with its reason.
LONG_FILES = {}
LONG_FUNCTIONS = {}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
FIRST_LINE = re.compile(r"^/\* \S+ - .+")


def rank(folder):
    return next((i for i, names in enumerate(LAYERS) if folder in names), None)


def sources():
    for top in ("daemon", "connectors", "config"):
        for folder, _, names in os.walk(top):
            for name in sorted(names):
                if name.endswith((".c", ".h")):
                    yield os.path.join(folder, name)


def check_includes(path, lines):
    folder = os.path.dirname(path)
    own = rank(folder)
    if own is None:
        yield f"{path}:1: {folder}/ is in no layer; tests/lint/layers.py lists them"
        return
    for number, line in enumerate(lines, 1):
        found = INCLUDE.match(line)
        if not found:
            continue
        bracket, name = found.groups()
        if name in OWNED and bracket == "<" and path not in OWNED[name]:
            yield f"{path}:{number}: only {', '.join(sorted(OWNED[name]))} may include <{name}>"
        if bracket == "<":
            continue
        if not os.path.exists(name):
            yield f"{path}:{number}: \"{name}\": include paths start at the root of the repository"
            continue
        other = os.path.dirname(name)
        theirs = rank(other)
        if theirs is None or theirs > own or (theirs == own and other != folder):
            yield f"{path}:{number}: {folder} may not include {name}: wrong direction between layers"


def check_circles(includes):
    """includes: of each file pair, which others it includes. What is left when all that include nothing left are taken away, again and
    again, from both ends, includes each other in a circle."""
    for folder in sorted(NO_CIRCLES):
        left = {name: {o for o in others if os.path.dirname(o) == folder and o != name} for name, others in includes.items()
                if os.path.dirname(name) == folder}
        while True:
            wanted = set().union(*left.values()) if left else set()
            ends = {name for name, others in left.items() if not others & left.keys() or name not in wanted}
            if not ends:
                break
            left = {name: others - ends for name, others in left.items() if name not in ends}
        if left:
            yield f"{folder}: {', '.join(sorted(os.path.basename(n) for n in left))} include each other in a circle"


def functions(lines):
    """(first line, name, length) of each function: from the line of its name to the closing brace in column 0."""
    name, start = None, 0
    for number, line in enumerate(lines, 1):
        found = re.match(r"^[A-Za-z_].*?\b([A-Za-z_]\w*)\(", line)
        if found and not line.rstrip().endswith(";"):
            name, start = found.group(1), number
        elif line.startswith("}") and name:
            yield start, name, number - start + 1
            name = None
        elif line.startswith("};"):
            name = None


def check_lengths(path, lines):
    if not FIRST_LINE.match(lines[0] if lines else ""):
        yield f"{path}:1: line 1 says what the file is: /* NAME - ... */"
    if len(lines) >= LONG_FILES.get(path, FILE_LINES):
        yield f"{path}: {len(lines)} lines; fewer than {LONG_FILES.get(path, FILE_LINES)} wanted"
    for start, name, length in functions(lines):
        limit = LONG_FUNCTIONS.get((path, name), FUNCTION_LINES)
        if length >= limit:
            yield f"{path}:{start}: {name}() has {length} lines; fewer than {limit} wanted"


def check_blank_lines(path, lines):
    """One layout everywhere: what wants to be set apart within a function is a function."""
    inside = False
    for number, line in enumerate(lines, 1):
        if line == "{\n":
            inside = True
        elif line.startswith("}"):
            inside = False
        elif inside and not line.strip():
            yield f"{path}:{number}: no blank lines within functions"


def check_alone(path, cc, flags):
    """A header compiles on its own: it includes what it uses."""
    with tempfile.NamedTemporaryFile("w", suffix=".c") as unit:
        unit.write(f'#include "{path}"\n#include "{path}"\n')
        unit.flush()
        done = subprocess.run([*shlex.split(cc), "-std=gnu17", "-D_GNU_SOURCE", "-I.", "-Wall", "-Wextra", "-Werror",
                               "-fsyntax-only", *shlex.split(flags), unit.name], capture_output=True, text=True)
    if done.returncode:
        yield f"{path}: does not compile alone: {done.stderr.strip().splitlines()[0]}"


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--cc", default="cc")
    options.add_argument("--flags", default="", help="of pkg-config, for headers of libraries")
    chosen = options.parse_args()
    problems, headers, count, includes = [], [], 0, {}
    for path in sources():
        with open(path, encoding="utf-8") as file:
            lines = file.readlines()
        count += 1
        problems += check_includes(path, lines)
        includes.setdefault(os.path.splitext(path)[0], set()).update(
            os.path.splitext(found.group(2))[0] for found in map(INCLUDE.match, lines) if found and found.group(1) == '"')
        problems += check_lengths(path, lines)
        problems += check_blank_lines(path, lines)
        if path.endswith(".h"):
            headers.append(path)
    problems += check_circles(includes)
    with ThreadPoolExecutor(2) as pool:
        for found in pool.map(lambda path: list(check_alone(path, chosen.cc, chosen.flags)), headers):
            problems += found
    for problem in problems:
        print(problem)
    print(f"layers: {count} files, {len(headers)} headers alone, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
