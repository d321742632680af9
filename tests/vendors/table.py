"""The committed table of numbers, the list of excused spills, and what fails a comparison.

SPDX-License-Identifier: MIT
"""
import csv
import fnmatch
import os

from compilers import NUMBERS

KEY = ("file", "kernel", "options", "target")
COLUMNS = (*KEY, "status", *NUMBERS)
# A number fails when it is more than a tenth above the table's; registers are given out in fours.
GROWTH, LEAST_GROWTH = 0.10, {"registers": 4, "lds": 1}
MOST_LDS = 65536  # no device of today gives a group more without asking


def read(path):
    """({vendor: version of its compilers}, {key: row of text}) of a table; empty without a file."""
    versions, rows = {}, {}
    if not os.path.exists(path):
        return versions, rows
    with open(path, encoding="utf-8", newline="") as f:
        lines = f.read().splitlines()
    for line in lines:
        if line.startswith("# ") and ": " in line:
            vendor, version = line[2:].split(": ", 1)
            versions[vendor] = version
    for row in csv.DictReader(line for line in lines if not line.startswith("#")):
        if None in row or None in row.values():
            raise ValueError(f"{path}: a row without its {len(COLUMNS)} columns, of {row['file']}")
        rows[tuple(row[k] for k in KEY)] = {k: row[k] for k in COLUMNS}
    return versions, rows


def write(path, versions, rows):
    part = path + ".tmp." + str(os.getpid())
    with open(part, "w", encoding="utf-8", newline="") as f:
        f.write("# What the vendors' compilers make of the kernels; README.md here says how to read "
                "and renew it.\n")
        for vendor in sorted(versions):
            f.write(f"# {vendor}: {versions[vendor]}\n")
        out = csv.DictWriter(f, COLUMNS, lineterminator="\n")
        out.writeheader()
        for key in sorted(rows):
            out.writerow(rows[key])
        f.flush()
        os.fsync(f.fileno())
    os.replace(part, path)


class Allowed:
    """`target | kernel | options | reason` lines; the first three are patterns of the shell."""

    def __init__(self, path):
        self.path, self.lines = path, []
        if not os.path.exists(path):
            return
        with open(path, encoding="utf-8") as f:
            for number, line in enumerate(f, 1):
                if not line.strip() or line.startswith("#"):
                    continue
                parts = [part.strip() for part in line.split("|", 3)]
                if len(parts) != 4 or not all(parts):
                    raise ValueError(f"{path}:{number}: wanted target | kernel | options | reason")
                self.lines.append([number, *parts, False])

    def excuses(self, row):
        found = False
        for line in self.lines:
            if all(fnmatch.fnmatchcase(row[name], pattern)
                   for name, pattern in zip(("target", "kernel", "options"), line[1:4])):
                line[5] = found = True
        return found

    def idle(self, targets, known):
        """Lines that excused nothing, of those whose targets (of all `known`) were compiled for."""
        name = os.path.basename(self.path)
        return [f"{name}:{line[0]} excuses nothing: {line[1]} | {line[2]} | {line[3]}"
                for line in self.lines
                if not line[5] and set(fnmatch.filter(known, line[1])) <= set(targets)]


def title(row):
    return f"{row['target']} {row['file']}.cl {row['kernel']} [{row['options']}]"


def faults(row, allowed):
    """What is wrong with a row whatever the table says."""
    found = []
    if row["status"].startswith("error: "):
        found.append("does not compile: " + row["status"][7:])
    wasted = [f"{name} {row[name]}" for name in ("spills", "scratch") if row[name] not in ("", "0")]
    if wasted and not allowed.excuses(row):
        found.append(", ".join(wasted) + ", and allowed.txt has no reason")
    if row["lds"] and int(row["lds"]) > MOST_LDS:
        found.append(f"lds {row['lds']} of {MOST_LDS} bytes")
    return found


def grown(row, old):
    """What is worse than in the table."""
    found = []
    if row["status"].startswith("error: "):
        return found  # said already
    if row["status"] != old["status"]:
        return [f"status \"{old['status']}\" -> \"{row['status']}\""]
    for name, least in LEAST_GROWTH.items():
        before, after = (int(r[name] or 0) for r in (old, row))
        if after - before >= least and after > before * (1 + GROWTH):
            found.append(f"{name} {before} -> {after}")
    for name in ("spills", "scratch"):
        before, after = (int(r[name] or 0) for r in (old, row))
        if after > before:
            found.append(f"{name} {before} -> {after}")
    if int(row["width"] or 0) < int(old["width"] or 0):
        found.append(f"width {old['width']} -> {row['width']}")
    return found
