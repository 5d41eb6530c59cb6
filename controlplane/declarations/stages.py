"""A stage of the friendly YAML, with its bake and its conditions -> CodePipeline's spelling."""

from accounts.yaml_text import Path
from controlplane.declarations.expand import Reading, Tree
from controlplane.declarations.items import ACTION, RULE, Item, Place
from controlplane.declarations.keys import fault
from controlplane.declarations.model import Result
from controlplane.declarations.providers import BAKE as BAKE_TABLE
from controlplane.declarations.words import (
    BAKE,
    BAKE_KEYS,
    CONDITION_KEYS,
    CONDITIONS_KEYS,
    FAILURE_KEYS,
    STAGE_KEYS,
)


class Stage:
    """Expands one stage."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self.place = Place()

    def expand(self, value: object, target: Path, source: Path) -> Tree:
        """Answer the stage in CodePipeline's spelling."""
        given = self.reading.mapping(value, source, STAGE_KEYS)
        self.place = Place(source, {k: given[k] for k in ("account", "region") if k in given})
        out: Tree = {}
        if "name" in given:
            self.reading.keep(out, (*target, "name"), (*source, "name"), given["name"])
        if "actions" in given:
            action = Item(self.reading, ACTION, self.place)
            paths = ((*target, "actions"), (*source, "actions"))
            out["actions"] = self.reading.each(given["actions"], paths, action.expand)
        if self.reading.either(given, source, "gate", "beforeEntry") == "gate":
            out["beforeEntry"] = self._gate(
                given["gate"], (*target, "beforeEntry"), (*source, "gate")
            )
        used = self.reading.either(given, source, "bake", "onSuccess")
        if used == "bake":
            out["onSuccess"] = self._bake(given, (*target, "onSuccess"), (*source, "bake"))
        for word in ("beforeEntry", "onSuccess"):
            if word in given and word not in out:
                paths = ((*target, word), (*source, word))
                out[word] = self._conditions(given[word], paths, CONDITIONS_KEYS)
        if "onFailure" in given:
            paths = ((*target, "onFailure"), (*source, "onFailure"))
            out["onFailure"] = self._failure(given["onFailure"], paths)
        return out

    def _failure(self, value: object, paths: tuple[Path, Path]) -> Tree:
        """Expand `onFailure: rollback`, or CodePipeline's map."""
        target, source = paths
        if isinstance(value, str):
            self.reading.origin[target] = self.reading.origin[(*target, "result")] = source
            return {"result": value.upper()}
        out = self._conditions(value, paths, FAILURE_KEYS)
        given = value if isinstance(value, dict) else {}
        for word in ("result", "retryConfiguration"):
            if word in given:
                self.reading.keep(out, (*target, word), (*source, word), given[word])
        return out

    def _conditions(self, value: object, paths: tuple[Path, Path], keys: tuple[str, ...]) -> Tree:
        target, source = paths
        self.reading.origin[target] = source
        given = self.reading.mapping(value, source, keys)
        if "conditions" not in given:
            return {}
        inner = ((*target, "conditions"), (*source, "conditions"))
        made = self.reading.each(given["conditions"], inner, self._condition)
        for number, condition in enumerate(made):
            if target[-1] == "beforeEntry" and "result" not in condition:
                condition["result"] = Result.FAIL.value  # a gate has no way back to take
                self.reading.origin[(*inner[0], number, "result")] = (*inner[1], number)
        return {"conditions": made}

    def _condition(self, value: object, target: Path, source: Path) -> Tree:
        given = self.reading.mapping(value, source, CONDITION_KEYS)
        out: Tree = {}
        if "result" in given:
            self.reading.keep(out, (*target, "result"), (*source, "result"), given["result"])
        if "rules" in given:
            out["rules"] = self._rules(given["rules"], (*target, "rules"), (*source, "rules"))
        return out

    def _rules(self, value: object, target: Path, source: Path) -> list[Tree]:
        rule = Item(self.reading, RULE, self.place)
        return self.reading.each(value, (target, source), rule.expand)

    def _gate(self, value: object, target: Path, source: Path) -> Tree:
        """One condition of these rules, which fails where one of them cannot hold any more."""
        condition = (*target, "conditions", 0)
        for made in (target, condition, (*condition, "result"), (*condition, "rules")):
            self.reading.origin[made] = source
        rules = self._rules(value, (*condition, "rules"), source)
        return {"conditions": [{"result": Result.FAIL.value, "rules": rules}]}

    def _bake(self, stage: Tree, target: Path, source: Path) -> Tree:
        """One condition; what the bake says of all signals goes into each rule's configuration."""
        self.reading.origin[target] = source
        condition = (*target, "conditions", 0)
        self.reading.origin[condition] = source
        given = self.reading.mapping(stage["bake"], source, BAKE_KEYS)
        result = self.reading.text(given.get("onFail", "ROLLBACK"), (*source, "onFail"))
        self.reading.origin[(*condition, "result")] = (*source, "onFail")
        signals = (*source, "signals")
        self.reading.origin[(*condition, "rules")] = signals
        rules = self._rules(given.get("signals", []), (*condition, "rules"), signals)
        for word, key in BAKE.items():
            if word in given:
                text = self.reading.text(given[word], (*source, word))
                said = (text or "", (*source, word))
                self._default(rules, (*condition, "rules"), key, said)
                wrong = None if rules else fault(BAKE_TABLE[key], said[0])
                if wrong is not None:  # with rules, it is seen in each of them
                    self.reading.wrong(said[1], wrong)
        return {"conditions": [{"result": (result or "ROLLBACK").upper(), "rules": rules}]}

    def _default(self, rules: list[Tree], target: Path, key: str, said: tuple[str, Path]) -> None:
        """Say it to every rule that does not say it itself."""
        for i, rule in enumerate(rules):
            made = rule.setdefault("configuration", {})
            if isinstance(made, dict) and key not in made:
                made[key] = said[0]
                self.reading.origin[(*target, i, "configuration", key)] = said[1]
