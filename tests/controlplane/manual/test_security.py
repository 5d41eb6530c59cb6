"""The list of ASVS items names what there is."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/security.md").read_text(encoding="utf-8")
ROWS = [line.split(" | ") for line in PAGE.splitlines() if line.startswith("| ")][2:]
NAMED = re.compile(r"((?:[a-z]+/)+[\w.-]+\.(?:py|md|lock|yaml))(?:::(\w+))?")
STATES = {"met", "part", "not met", "not applicable"}


def test_every_file_and_every_test_that_it_names_is_there() -> None:
    found = NAMED.findall(PAGE)
    assert len(found) > 40
    for path, test in found:
        text = (ROOT / path).read_text(encoding="utf-8")
        assert not test or f"def {test}(" in text, f"{path}::{test}"


def test_what_is_met_says_by_what_and_the_rest_says_why() -> None:
    assert {row[1] for row in ROWS} <= STATES
    for items, state, how in ROWS:
        assert len(how) > 10, items
        without = ("nothing is run", "JSON and safe YAML", "certificates")
        assert state != "met" or NAMED.search(how) or how.startswith(without), items


def test_every_chapter_is_in_it() -> None:
    chapters = {int(found) for row in ROWS for found in re.findall(r"\b(\d+)\.\d", row[0])}
    assert chapters == set(range(1, 15))
