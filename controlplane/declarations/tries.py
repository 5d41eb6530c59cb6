"""`retry:` of the friendly YAML: how a failed stage is tried again by itself."""

from accounts.yaml_text import Path
from controlplane.declarations.expand import Reading, Tree
from controlplane.declarations.retries import AFTER, ATTEMPTS
from controlplane.declarations.words import RETRY_MODES, RETRY_WORDS

Said = tuple[str, Path]
"""A value of a configuration, and where it was written."""


def on_failure(reading: Reading, given: Tree, target: Path, source: Path) -> Tree:
    """Spell `retry: 2`, or its map, as CodePipeline's onFailure. target: the stage's onFailure."""
    at = (*source, "retry")
    mode = (*target, "retryConfiguration", "retryMode")
    for made in (target, (*target, "result"), mode[:-1], mode):
        reading.origin[made] = at
    which = "failed"
    words = _words(reading, given["retry"], at)
    if "actions" in words:
        reading.origin[mode] = (*at, "actions")
        which = reading.text(words["actions"], (*at, "actions")) or ""
    return {"result": "RETRY", "retryConfiguration": {"retryMode": RETRY_MODES.get(which, which)}}


def configuration(reading: Reading, given: Tree, source: Path) -> dict[str, Said]:
    """What CodePipeline has no field for: how often, and (`onFailure` beside it) what follows in the end."""
    at, value = (*source, "retry"), given["retry"]
    made: dict[str, Said] = {}
    if not isinstance(value, dict):
        made[ATTEMPTS] = (reading.text(value, at) or "", at)
    elif "times" in value:
        times = (*at, "times")
        made[ATTEMPTS] = (reading.text(value["times"], times) or "", times)
    after, where = given.get("onFailure"), (*source, "onFailure")
    if isinstance(after, str):
        made[AFTER] = (after.upper(), where)
    elif after is not None:
        message = "beside `retry` stands rollback or fail: what follows where no try helped"
        reading.wrong(where, message)
    return made


def _words(reading: Reading, value: object, at: Path) -> Tree:
    return reading.mapping(value, at, RETRY_WORDS) if isinstance(value, dict) else {}
