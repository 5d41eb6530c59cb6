"""`waves:` of the friendly YAML -> its targets, wave by wave, each with where it stands in the text."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from accounts.yaml_text import Path
from controlplane.declarations.expand import Reading, Tree
from controlplane.declarations.findings import meant
from controlplane.declarations.items import Place, configured
from controlplane.declarations.keys import Key, fault
from controlplane.declarations.wave_keys import GATE_KEYS, MAX_IN_FLIGHT, WAVE_KEYS
from controlplane.declarations.wave_sizes import Size, parse_size, sizes
from controlplane.declarations.words import TARGET_KEYS, WAVES_KEYS

MOST_TARGETS = 200
NAME = re.compile(r"[A-Za-z0-9_-]{1,60}")
ONE_BOX = "onebox"
LIST_FORMS = ("accounts", "regions")


@dataclass(frozen=True, slots=True)
class Target:
    """One target. path: where it stands; place: its account and region; also: key -> (value, path)."""

    name: str
    path: Path
    place: Place
    also: dict[str, tuple[str, Path]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rollout:
    """What `waves:` says. said: bake, pause and maxInFlight where they are written: (value, path)."""

    path: Path
    waves: list[list[Target]]
    said: dict[str, tuple[str, Path]]


TIMES: dict[str, Key] = {
    "bake": GATE_KEYS["BakeTime"],
    "pause": GATE_KEYS["Pause"],
    "maxInFlight": WAVE_KEYS[MAX_IN_FLIGHT],
}


class Targets:
    """Reads one `waves:` map. stage: the account and region that its stage gives."""

    def __init__(self, reading: Reading, stage: Place) -> None:
        self.reading = reading
        self.stage = stage

    def read(self, value: object, path: Path) -> Rollout | None:
        """Answer what it says; None where there is no target (what is wrong is noted)."""
        given = self.reading.mapping(value, path, WAVES_KEYS)
        targets = list(islice(self._all(given, path), MOST_TARGETS + 1))
        if len(targets) > MOST_TARGETS:
            self.reading.wrong(path, f"more than {MOST_TARGETS} targets: split the stage")
        first = self._one_box(given, path, targets)
        rest = self._distinct([one for one in targets if one not in first], first)
        if not rest and not first:
            self.reading.wrong(
                path, "has no target: write `targets:`, or `accounts:` and `regions:`"
            )
            return None
        waves = [first] if first else []
        for size in sizes(len(rest), self._sizes(given, path)):
            waves.append(rest[:size])
            rest = rest[size:]
        return Rollout(path, waves, self._said(given, path))

    def _all(self, given: Tree, path: Path) -> Iterator[Target]:
        used = self.reading.either(given, path, "targets", "accounts")
        if used == "targets":
            if "regions" in given:
                self.reading.wrong((*path, "regions"), "goes with `accounts`", at_key=True)
            where = (*path, "targets")
            for i, one in enumerate(self.reading.items(given["targets"], where)):
                yield self._target(one, (*where, i))
        elif used == "accounts" or "regions" in given:
            yield from self._crossed(given, path)

    def _crossed(self, given: Tree, path: Path) -> Iterator[Target]:
        """Every account in every region, region by region."""
        for region in self._listed(given, path, "region"):
            for account in self._listed(given, path, "account"):
                given_: dict[str, object] = {w: text for w, text, _ in (account, region) if text}
                paths: dict[str, Path] = {
                    word: where for word, text, where in (account, region) if text
                }
                where = paths.get("account", paths.get("region", path))
                place = Place({**self.stage.given, **given_}, {**self.stage.paths, **paths})
                yield Target(self._named(None, where, place), where, place)

    def _listed(self, given: Tree, path: Path, word: str) -> list[tuple[str, str, Path]]:
        where = (*path, f"{word}s")
        if where[-1] not in given:
            return [(word, "", path)]  # the stage's own
        items = self.reading.items(given[f"{word}s"], where)
        texts = [(self.reading.text(one, (*where, i)), (*where, i)) for i, one in enumerate(items)]
        return [(word, text, at) for text, at in texts if text]

    def _target(self, value: object, path: Path, name: str = "") -> Target:
        given = self.reading.mapping(value, path, TARGET_KEYS)
        own: Tree = {k: given[k] for k in ("account", "region") if k in given}
        paths: dict[str, Path] = {k: (*path, k) for k in own}
        place = Place({**self.stage.given, **own}, {**self.stage.paths, **paths})
        also: dict[str, tuple[str, Path]] = {}
        if "with" in given:
            said = self.reading.mapping(given["with"], (*path, "with"), None)
            also = {k: (configured(v), (*path, "with", k)) for k, v in said.items()}
        return Target(self._named(given.get("name", name or None), path, place), path, place, also)

    def _named(self, given: object, path: Path, place: Place) -> str:
        """Its name, or account and region with a hyphen between them."""
        where = path if given is None else (*path, "name")
        parts = [str(place.given[k]) for k in ("account", "region") if k in place.given]
        name = "-".join(parts) if given is None else self.reading.text(given, where)
        if not name:
            self.reading.wrong(path, "has neither account nor region nor name: give it one")
            return "unnamed"
        if not NAME.fullmatch(name):
            why = "letters, digits, _ and -, at most 60 of them"
            self.reading.wrong(where, f"{name!a} is no name of a target ({why}): give it a `name`")
            return "unnamed"
        return name

    def _one_box(self, given: Tree, path: Path, targets: list[Target]) -> list[Target]:
        """The first wave: a target of its own, or one of the others by its name."""
        if "oneBox" not in given:
            return []
        value, where = given["oneBox"], (*path, "oneBox")
        if isinstance(value, dict):
            return [self._target(value, where, ONE_BOX)]
        name = self.reading.text(value, where)
        chosen = [one for one in targets if one.name == name][:1]
        if name is not None and not chosen:
            known = meant(name, [one.name for one in targets])
            self.reading.wrong(where, f"{name!r} is none of the targets{known}")
        return chosen

    def _distinct(self, targets: list[Target], first: list[Target]) -> list[Target]:
        known = {one.name for one in first}
        kept = []
        for one in targets:
            if one.name in known and one.name != "unnamed":
                mend = "name them apart with `name:`, or take it out"
                self.reading.wrong(one.path, f"a second target {one.name!r}: {mend}")
            else:
                known.add(one.name)
                kept.append(one)
        return kept

    def _sizes(self, given: Tree, path: Path) -> list[Size]:
        where = (*path, "sizes")
        found: list[Size] = []
        if "sizes" not in given:
            return found
        for i, one in enumerate(self.reading.items(given["sizes"], where)):
            text = self.reading.text(one, (*where, i))
            if text is None:
                continue
            try:
                size = parse_size(text)
            except ValueError as error:
                self.reading.wrong((*where, i), str(error))
                continue
            if found and found[-1].percent == size.percent and size.number < found[-1].number:
                self.reading.wrong((*where, i), f"{text} is less than before: waves grow")
            found.append(size)
        return found

    def _said(self, given: Tree, path: Path) -> dict[str, tuple[str, Path]]:
        said = {}
        for word, key in TIMES.items():
            if word not in given:
                continue
            text = self.reading.text(given[word], (*path, word))
            wrong = None if text is None else fault(key, text)
            if wrong is not None:
                self.reading.wrong((*path, word), wrong)
            elif text is not None:
                said[word] = (text, (*path, word))
        return said
