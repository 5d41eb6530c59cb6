"""One action or rule of the friendly YAML -> CodePipeline's spelling."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from accounts.yaml_text import Path, Plain
from controlplane.declarations.expand import Reading, Tree
from controlplane.declarations.findings import closest
from controlplane.declarations.meaning import resolve
from controlplane.declarations.provider import Need, Provider
from controlplane.declarations.providers import ACTION_NAMES, RULE_NAMES, provider_by, type_id
from controlplane.declarations.words import ACTION_KEYS, RULE_KEYS


@dataclass(frozen=True, slots=True)
class Place:
    """The account and region that a stage, or a target of it, gives; paths: where each is written."""

    given: Mapping[str, object] = field(default_factory=dict)
    paths: Mapping[str, Path] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Shape:
    """How actions and rules differ. unknown: the category assumed for a provider not known."""

    keys: tuple[str, ...]
    type_key: str
    names: Mapping[str, Provider]
    unknown: str
    lists: Mapping[str, str]
    own: tuple[str, ...]


ACTION = Shape(
    ACTION_KEYS,
    "actionTypeId",
    ACTION_NAMES,
    "Test",
    {"inputs": "inputArtifacts", "outputs": "outputArtifacts"},
    (
        *("region", "runOrder", "roleArn", "namespace", "timeoutInMinutes"),
        *("commands", "outputVariables", "environmentVariables"),
    ),
)
RULE = Shape(
    RULE_KEYS,
    "ruleTypeId",
    RULE_NAMES,
    "Rule",
    {"inputs": "inputArtifacts"},
    ("region", "roleArn", "timeoutInMinutes", "commands"),
)


class Item:
    """Expands one action or rule."""

    def __init__(self, reading: Reading, shape: Shape, place: Place) -> None:
        self.reading = reading
        self.shape = shape
        self.place = place

    def expand(self, value: object, target: Path, source: Path) -> Tree:
        """Answer the item in CodePipeline's spelling."""
        given = self.reading.mapping(value, source, self.shape.keys)
        out: Tree = {}
        if "name" in given:
            self.reading.keep(out, (*target, "name"), (*source, "name"), given["name"])
        provider = self._type(given, out, target, source)
        for word in self.shape.own:
            if word in given:
                self.reading.keep(out, (*target, word), (*source, word), given[word])
        for word, spelled in self.shape.lists.items():
            self._artifacts(given, (word, spelled), out, (target, source))
        self._configuration(given, out, target, source)
        if provider is not None and provider.place is Need.REQUIRED:
            self._from_stage(given, out, target, source)
        return out

    def _type(self, given: Tree, out: Tree, target: Path, source: Path) -> Provider | None:
        """Set the type id, and the name where none is given; answer the provider if we know it."""
        key = self.shape.type_key
        word = self.reading.either(given, source, "provider", key)
        if word is None:
            if given:
                self.reading.wrong(
                    (*source, "provider"), "is missing: say who does it, `provider: ...`"
                )
            self.reading.origin[(*target, key)] = (*source, "provider")
            self.reading.origin[(*target, key, "provider")] = (*source, "provider")
            out[key] = self._unknown("missing")
            return None
        if word == key:
            self.reading.keep(out, (*target, key), (*source, key), given[key])
            return provider_by(out[key])
        name = self.reading.text(given[word], (*source, word)) or "missing"
        self.reading.origin[(*target, key)] = (*source, word)
        self.reading.origin[(*target, key, "provider")] = (*source, word)
        provider = self.shape.names.get(name)
        out[key] = type_id(provider) if provider is not None else self._unknown(name)
        if "name" not in given:
            out["name"] = name
            self.reading.origin[(*target, "name")] = (*source, word)
        return provider

    def _unknown(self, name: str) -> dict[str, str]:
        """Stand in for a provider not known, of the category it was probably meant to have."""
        close = closest(name, self.shape.names)
        category = self.shape.names[close].category if close else self.shape.unknown
        return {"category": category, "owner": "Custom", "provider": name}

    def _artifacts(
        self, given: Tree, words: tuple[str, str], out: Tree, paths: tuple[Path, Path]
    ) -> None:
        word, spelled = words
        target, source = (*paths[0], spelled), paths[1]
        used = self.reading.either(given, source, word, spelled)
        if used == spelled:
            self.reading.keep(out, target, (*source, used), given[used])
        elif used is not None:
            out[spelled] = self.reading.each(given[used], (target, (*source, used)), self._artifact)

    def _artifact(self, value: object, target: Path, source: Path) -> Tree:
        self.reading.origin[(*target, "name")] = source
        return {"name": self.reading.text(value, source) or "unnamed"}

    def _configuration(self, given: Tree, out: Tree, target: Path, source: Path) -> None:
        target = (*target, "configuration")
        word = self.reading.either(given, source, "with", "configuration")
        made: dict[str, str] = {}
        if word is not None:
            self.reading.origin[target] = (*source, word)
            made = configuration(self.reading, given[word], (*source, word))
        if "account" in given:
            if "Account" in made:
                self.reading.wrong(
                    (*source, "account"),
                    f"says the same as `{word}.Account`: keep one",
                    at_key=True,
                )
            made["Account"] = self.reading.text(given["account"], (*source, "account")) or ""
        self._critical(given, made, target, source)
        if "account" in given or "Account" not in made:
            self.reading.origin[(*target, "Account")] = (*source, "account")
        if made or word is not None:
            out["configuration"] = made

    def _critical(self, given: Tree, made: dict[str, str], target: Path, source: Path) -> None:
        """Keep a rule's `critical: true` where its configuration is."""
        if "critical" not in given:
            return
        source = (*source, "critical")
        if "Critical" in made:
            self.reading.wrong(source, "says the same as `with.Critical`: keep one", at_key=True)
        made["Critical"] = (self.reading.text(given["critical"], source) or "").lower()
        self.reading.origin[(*target, "Critical")] = source

    def _from_stage(self, given: Tree, out: Tree, target: Path, source: Path) -> None:
        """Give the stage's account and region to what needs them and has none of its own."""
        if "region" in self.place.given and "region" not in given:
            path = self.place.paths["region"]
            self.reading.keep(out, (*target, "region"), path, self.place.given["region"])
        made = out.get("configuration", {})
        if "account" in self.place.given and isinstance(made, dict) and "Account" not in made:
            path = self.place.paths["account"]
            made["Account"] = self.reading.text(self.place.given["account"], path) or ""
            out["configuration"] = made
            where = (*target, "configuration")
            self.reading.origin.setdefault(where, (*source, "with"))
            self.reading.origin[(*where, "Account")] = path


def configuration(reading: Reading, value: object, path: Path) -> dict[str, str]:
    """Spell a `with:` map as CodePipeline's configuration: every value becomes a string.

    Text and numbers keep the characters they were written with; maps and lists become JSON.
    """
    return {key: configured(item) for key, item in reading.mapping(value, path, None).items()}


def configured(value: object) -> str:
    """Spell one value of `with:` as a string."""
    if isinstance(value, (dict, list)):
        return compact(resolve(value))
    meaning = resolve(value) if isinstance(value, Plain) else value
    return str(meaning).lower() if isinstance(meaning, bool) else str(value)


def compact(value: object) -> str:
    """Write JSON without spaces: the one way in which we spell it inside a configuration."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
