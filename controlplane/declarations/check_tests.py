"""How a rule is judged: each Test has keys that it needs, and keys that only it knows."""

from collections.abc import Iterator, Mapping

from accounts.yaml_text import Path
from controlplane.declarations.findings import Finding
from controlplane.declarations.keys import VARIABLE
from monitors.judge.rules import INSTEAD, TESTS, rule

REQUESTS, CONTROL = tuple(INSTEAD["requests"]), tuple(INSTEAD["control"])

NEEDS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "threshold": (("Threshold",),),
    "rank": (),
    "count": (REQUESTS,),
    "burnRate": (("Objective",), REQUESTS),
}
"""Of each of these groups one key must be there."""

KNOWN_TO: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("Threshold", "Comparison", "DatapointsToFail", "WorseBy"), ("threshold",)),
    **dict.fromkeys(("Direction", *CONTROL), ("rank",)),
    **dict.fromkeys(("MinimumEffect", "MinimumPower"), ("rank", "count")),
    **dict.fromkeys(REQUESTS, ("count", "burnRate")),
    "Alpha": ("rank", "count", "burnRate"),
    "MinimumRate": ("count",),
    "Objective": ("burnRate",),
}
"""Keys that say nothing under another Test; what is not here holds for all."""


def check_test(path: Path, given: Mapping[str, str]) -> Iterator[Finding]:
    """Yield what is wrong with how a rule over numbers is judged; path is its configuration's."""
    test = given.get("Test", "threshold")
    if test not in TESTS:
        return  # said already, where the value was read
    wrong = [*_needs(path, given, test), *_others(path, given, test)]
    yield from wrong
    if not wrong and not any(VARIABLE.search(value) for value in given.values()):
        yield from _read(path, given)


def _needs(path: Path, given: Mapping[str, str], test: str) -> Iterator[Finding]:
    for group in NEEDS[test]:
        if not any(key in given for key in group):
            known = [key for key in group if _asks(given, key)]
            other = "" if "Test" in given else ", or Test: rank, count or burnRate"
            message = f"is missing: Test {test} needs it{other}"
            yield Finding((*path, known[0]), message)


def _asks(given: Mapping[str, str], key: str) -> bool:
    """Say whether a key is one of this provider's: what is asked of CloudWatch has no Query."""
    prometheus = INSTEAD["requests"].get(key) == "Query" or INSTEAD["control"].get(key) == "Query"
    further = key in REQUESTS or key in CONTROL
    return not further or prometheus == ("Query" in given)


def _others(path: Path, given: Mapping[str, str], test: str) -> Iterator[Finding]:
    for key, tests in KNOWN_TO.items():
        if key in given and test not in tests:
            message = (
                f"says nothing under Test {test}, but under {' and '.join(tests)}: take it out"
            )
            yield Finding((*path, key), message, True)


def _read(path: Path, given: Mapping[str, str]) -> Iterator[Finding]:
    """Read the rule as its driver will; what it says of a key, it says first."""
    try:
        rule(given)
    except ValueError as error:
        key, _, why = str(error).partition(":")
        if key in given and why:
            yield Finding((*path, key), why.strip())
