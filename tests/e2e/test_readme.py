# SPDX-License-Identifier: MIT
"""The table of fault cases in tests/README.md names tests that exist, and has all cases."""
import re

from conftest import ROOT

CASES = 71


def rows():
    text = (ROOT / "tests" / "README.md").read_text()
    for line in text.split("## The fault cases")[1].split("\n## ")[0].splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if cells[0].isdigit():
            yield int(cells[0]), cells[2], cells[3]


def exists(name, last):
    """Whether `FILE::TEST`, `::TEST` of the file before, or a program of tests/ is there; and its file."""
    if "::" not in name:
        return (ROOT / "tests" / name).exists(), last
    file, test = name.split("::")
    file = file or last
    path = ROOT / "tests" / file if "/" in file else ROOT / "tests" / "e2e" / file
    pattern = rf"^static void {test}\(" if file.endswith(".c") else rf"^def {test}\("
    return path.exists() and re.search(pattern, path.read_text(), re.M) is not None, file


def test_every_case_has_its_row():
    assert [case for case, _, _ in rows()] == list(range(1, CASES + 1))


def test_every_name_is_a_test():
    wrong = []
    for case, tests, note in rows():
        last = None
        for name in re.findall(r"`([^`]+)`", tests):
            there, last = exists(name, last)
            if not there:
                wrong.append((case, name))
        if not tests and not note:
            wrong.append((case, "neither a test nor a reason"))
    assert not wrong
