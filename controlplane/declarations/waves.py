"""A stage with waves -> plain actions and rules: a copy of each for each target, wave behind wave.

Run orders follow wave by wave, with the bake of the wave before (provider WaveBake) between them. What a
copy makes is its own: names, artifacts and namespaces end with the target's name.
"""

import re
from collections.abc import Iterator

from accounts.yaml_text import Path
from controlplane.declarations.expand import Reading, Tree
from controlplane.declarations.findings import meant
from controlplane.declarations.items import ACTION, Item, Shape
from controlplane.declarations.providers import ACTION_NAMES, provider_by, type_id
from controlplane.declarations.wave_keys import GATE, MAX_IN_FLIGHT, TARGET, WAVE
from controlplane.declarations.wave_targets import Rollout, Target

LONGEST_NAME = 90
"""A rollback puts a word in front of it, such as Recovered-, and names end at 100."""
MOST_COPIES = 400
LAST_RUN_ORDER = 999
BAKE_DEFAULT = "5m"
PLACEHOLDER = re.compile(r"\$\{([A-Za-z][A-Za-z0-9_]*)\}")
PLACEHOLDERS = ("account", "region", "target")
NAMESPACE = re.compile(r"#\{([A-Za-z0-9@_-]+)\.")


class Copies:
    """Makes the copies of one stage; call `unused` when all are made."""

    def __init__(self, reading: Reading, rollout: Rollout, bake: str | None) -> None:
        self.reading = reading
        self.rollout = rollout
        self.bake = rollout.said.get("bake", (bake or BAKE_DEFAULT, rollout.path))
        self.used: set[tuple[str, str]] = set()
        self.made_here: frozenset[str] = frozenset()
        self.spaces: frozenset[str] = frozenset()

    def actions(self, value: object, target: Path, source: Path) -> list[Tree]:
        """Every action for every target, with the bakes between the waves."""
        items = self.reading.items(value, source)
        self._learn(items)
        ranks = _ranks(items)
        step = len(ranks) + 1
        made: list[Tree] = []
        self.reading.origin[target] = source
        for number, wave in enumerate(self._bounded(len(items), step), start=1):
            base = (number - 1) * step
            if number > 1:
                made.append(self._gate(number - 1, base, (*target, len(made))))
            for one in wave:
                for j, item in enumerate(items):
                    paths = ((*target, len(made)), (*source, j))
                    copy = self._copy(item, ACTION, (one, number), paths)
                    self._own(copy, one, base, ranks)
                    made.append(copy)
        return made

    def rules(self, value: object, shape: Shape, target: Path, source: Path) -> list[Tree]:
        """Every rule for every target."""
        items = self.reading.items(value, source)
        made: list[Tree] = []
        self.reading.origin[target] = source
        for number, wave in enumerate(self._bounded(len(items), 0), start=1):
            for one in wave:
                for j, item in enumerate(items):
                    paths = ((*target, len(made)), (*source, j))
                    made.append(self._copy(item, shape, (one, number), paths))
        return made

    def unused(self) -> None:
        """Note what a target says that nothing of the stage takes."""
        for one in (one for wave in self.rollout.waves for one in wave):
            for key, (_, path) in one.also.items():
                if (one.name, key) not in self.used:
                    message = "no action or signal of this stage takes it"
                    self.reading.wrong(path, message, at_key=True)

    def _bounded(self, items: int, step: int) -> Iterator[list[Target]]:
        """The waves; the first alone where they would make too much."""
        waves, path = self.rollout.waves, self.rollout.path
        targets = sum(len(wave) for wave in waves)
        if items * targets > MOST_COPIES:
            message = f"{targets} targets make more than {MOST_COPIES} of these: split the stage"
            self.reading.wrong(path, message)
        elif len(waves) * step > LAST_RUN_ORDER:
            message = f"{len(waves)} waves need run orders above {LAST_RUN_ORDER}: larger `sizes`"
            self.reading.wrong(path, message)
        else:
            yield from waves
            return
        yield waves[0][:1]

    def _learn(self, items: list[object]) -> None:
        """What the stage's own actions make: it is another for each target."""
        trees = [one for one in items if isinstance(one, dict)]
        outputs = [one.get("outputs", one.get("outputArtifacts")) for one in trees]
        names = [name for listed in outputs if isinstance(listed, list) for name in listed]
        self.made_here = frozenset(
            str(one.get("name") if isinstance(one, dict) else one) for one in names
        )
        self.spaces = frozenset(str(one["namespace"]) for one in trees if "namespace" in one)

    def _gate(self, number: int, run_order: int, target: Path) -> Tree:
        path = self.rollout.path
        pause = self.rollout.said.get("pause", ("0s", path))
        self.reading.origin[target] = path
        self.reading.origin[(*target, "configuration", "BakeTime")] = self.bake[1]
        self.reading.origin[(*target, "configuration", "Pause")] = pause[1]
        return {
            "name": f"Wave-{number}-bake",
            "actionTypeId": type_id(ACTION_NAMES[GATE]),
            "runOrder": str(run_order),
            "configuration": {WAVE: str(number), "BakeTime": self.bake[0], "Pause": pause[0]},
        }

    def _copy(
        self, item: object, shape: Shape, whom: tuple[Target, int], paths: tuple[Path, Path]
    ) -> Tree:
        target, source = paths
        one, number = whom
        self.reading.origin[target] = source
        copy = Item(self.reading, shape, one.place).expand(item, target, source)
        self._rename(copy, one, source)
        made = copy.setdefault("configuration", {})
        if isinstance(made, dict):
            where = (*target, "configuration")
            self.reading.origin.setdefault(where, (*source, "with"))
            self._override(copy[shape.type_key], made, one, where)
            for key, text in made.items():
                made[key] = self._filled(str(text), one, self.reading.source((*where, key)))
            made |= {WAVE: str(number), TARGET: one.name}
            if shape is ACTION and "maxInFlight" in self.rollout.said:
                made[MAX_IN_FLIGHT] = self.rollout.said["maxInFlight"][0]
        return copy

    def _rename(self, copy: Tree, one: Target, source: Path) -> None:
        if not isinstance(copy.get("name"), str):
            return
        name = f"{copy['name']}-{one.name}"
        if len(name) > LONGEST_NAME:
            message = f"{name} has more than {LONGEST_NAME} characters: shorten it, or its target's"
            self.reading.wrong((*source, "name"), message)
        copy["name"] = name

    def _override(self, type_: object, made: Tree, one: Target, where: Path) -> None:
        """What the target itself says goes to every action and rule that takes it."""
        provider = provider_by(type_)
        for key, (text, path) in one.also.items():
            if provider is not None and key in provider.keys:
                made[key] = text
                self.reading.origin[(*where, key)] = path
                self.used.add((one.name, key))

    def _filled(self, text: str, one: Target, path: Path) -> str:
        """Put the target's words where ${account}, ${region} or ${target} stand."""
        known = {k: str(v) for k, v in one.place.given.items()} | {"target": one.name}

        def value(match: re.Match[str]) -> str:
            if match[1] not in known:
                why = "its target has none" if match[1] in PLACEHOLDERS else "is no placeholder"
                self.reading.wrong(path, f"{match[0]}: {why}{meant(match[1], PLACEHOLDERS)}")
            return known.get(match[1], match[0])

        def space(match: re.Match[str]) -> str:
            return f"#{{{match[1]}-{one.name}." if match[1] in self.spaces else match[0]

        return NAMESPACE.sub(space, PLACEHOLDER.sub(value, text))

    def _own(self, copy: Tree, one: Target, base: int, ranks: dict[int, int]) -> None:
        """What an action has beside a rule: its run order, what it makes, its namespace."""
        rank = ranks.get(_run_order(copy.get("runOrder", "1")))
        if rank is not None:
            copy["runOrder"] = str(base + rank)
        for word in ("inputArtifacts", "outputArtifacts"):
            listed = copy.get(word)
            for artifact in listed if isinstance(listed, list) else ():
                if isinstance(artifact, dict) and artifact.get("name") in self.made_here:
                    artifact["name"] = f"{artifact['name']}-{one.name}"
        if "namespace" in copy:
            copy["namespace"] = f"{copy['namespace']}-{one.name}"


def _run_order(text: object) -> int:
    digits = str(text)
    return int(digits) if digits.isdecimal() and len(digits) <= len(str(LAST_RUN_ORDER)) else 0


def _ranks(items: list[object]) -> dict[int, int]:
    """Run order -> its place among those of the template, from 1; what is no run order is left out."""
    given = {_run_order(one.get("runOrder", "1")) for one in items if isinstance(one, dict)}
    return {order: rank for rank, order in enumerate(sorted(given - {0}), start=1)}
