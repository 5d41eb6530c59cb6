"""A stage of the friendly YAML, with its bake and its conditions -> CodePipeline's spelling."""

from collections.abc import Mapping
from typing import Any

from accounts.yaml_text import Path
from controlplane.declarations import tries
from controlplane.declarations.deploy_providers import WAY_BACK as BACK_TABLE
from controlplane.declarations.expand import Reading, Tree
from controlplane.declarations.items import ACTION, RULE, Item, Place, configured
from controlplane.declarations.keys import fault
from controlplane.declarations.model import PROOFS, Result
from controlplane.declarations.providers import ACTION_NAMES
from controlplane.declarations.rule_providers import BAKE as BAKE_TABLE
from controlplane.declarations.wave_targets import Targets
from controlplane.declarations.waves import Copies
from controlplane.declarations.words import (
    BAKE,
    BAKE_KEYS,
    CONDITION_KEYS,
    CONDITIONS_KEYS,
    CONSEQUENCES,
    FAILURE_KEYS,
    STAGE_KEYS,
    WAY_BACK,
)


class Stage:
    """Expands one stage."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self.place = Place()
        self.copies: Copies | None = None

    def expand(self, value: object, target: Path, source: Path) -> Tree:
        """Answer the stage in CodePipeline's spelling."""
        given = self.reading.mapping(value, source, STAGE_KEYS)
        said = [k for k in ("account", "region") if k in given]
        self.place = Place({k: given[k] for k in said}, {k: (*source, k) for k in said})
        self._roll_out(given, source)
        out: Tree = {}
        for word in ("name", "blockers"):
            if word in given:
                self.reading.keep(out, (*target, word), (*source, word), given[word])
        if "actions" in given:
            paths = ((*target, "actions"), (*source, "actions"))
            actions = self._actions(given["actions"], *paths)
            out["actions"] = actions
            self._way_back(given, actions, paths)
        self._all_conditions(given, out, target, source)
        if self.copies is not None:
            self.copies.unused()
        return out

    def _all_conditions(self, given: Tree, out: Tree, target: Path, source: Path) -> None:
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
        if "retry" in given:
            out["onFailure"] = tries.on_failure(self.reading, given, (*target, "onFailure"), source)
            first: Any = out.get("actions") or []
            for key, said in tries.configuration(self.reading, given, source).items():
                self._default(list(enumerate(first[:1])), (*target, "actions"), key, said)
        elif "onFailure" in given:
            paths = ((*target, "onFailure"), (*source, "onFailure"))
            out["onFailure"] = self._failure(given["onFailure"], paths)

    def _way_back(self, given: Tree, actions: list[Tree], paths: tuple[Path, Path]) -> None:
        """What a stage says of its way back goes into the configuration of all that deploys."""
        target, source = paths
        deploying = [(i, action) for i, action in enumerate(actions) if _goes_back(action)]
        for word, key in WAY_BACK.items():
            if word not in given:
                continue
            at = (*source[:-1], word)
            if not deploying:
                self.reading.wrong(at, "no action of this stage deploys: take it out", at_key=True)
            self._default(deploying, target, key, (configured(given[word]), at))

    def _roll_out(self, given: Tree, source: Path) -> None:
        """Read the waves; where they are wrong, the stage is looked at as if it had none."""
        if "waves" not in given:
            return
        rollout = Targets(self.reading, self.place).read(given["waves"], (*source, "waves"))
        bake = given.get("bake")
        time = bake.get("time") if isinstance(bake, dict) else None
        if rollout is None:  # one finding is enough: nobody misses an account beside it
            known, where = self.place, (*source, "waves")
            given_ = {"account": "unknown", "region": "eu-west-1", **known.given}
            paths = {"account": where, "region": where, **known.paths}
            self.place = Place(given_, paths)
        else:
            bake_time = str(time) if isinstance(time, str) else None
            self.copies = Copies(self.reading, rollout, bake_time)

    def _actions(self, value: object, target: Path, source: Path) -> list[Tree]:
        if self.copies is not None:
            return self.copies.actions(value, target, source)
        action = Item(self.reading, ACTION, self.place)
        return self.reading.each(value, (target, source), action.expand)

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
        if self.copies is not None and "onSuccess" in target:
            return self.copies.rules(value, RULE, target, source)
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
        self._of_all(given, BAKE, (rules, (*condition, "rules")), source)
        if "consequences" in given:
            source = (*source, "consequences")
            words = {verdict.value: key for verdict, key in CONSEQUENCES.items()}
            told = self.reading.mapping(given["consequences"], source, words)
            self._of_all(told, words, (rules, (*condition, "rules")), source)
        return {"conditions": [{"result": (result or "ROLLBACK").upper(), "rules": rules}]}

    def _of_all(
        self,
        given: Tree,
        words: Mapping[str, str],
        rules: tuple[list[Tree], Path],
        source: Path,
    ) -> None:
        """Say to all rules what is given under some words. words: each with its key."""
        for word, key in words.items():
            if word in given:
                text = self.reading.text(given[word], (*source, word))
                said = (text or "", (*source, word))
                signals = [(i, one) for i, one in enumerate(rules[0]) if not _is_proof(one)]
                self._default(signals, rules[1], key, said)
                wrong = None if signals else fault(BAKE_TABLE[key], said[0])
                if wrong is not None:  # with rules, it is seen in each of them
                    self.reading.wrong(said[1], wrong)

    def _default(
        self, items: list[tuple[int, Tree]], target: Path, key: str, said: tuple[str, Path]
    ) -> None:
        """Say it to every one (with its place in the list) that does not say it itself."""
        for i, item in items:
            made = item.setdefault("configuration", {})
            if isinstance(made, dict) and key not in made:
                made[key] = said[0]
                self.reading.origin[(*target, i, "configuration", key)] = said[1]


def _is_proof(rule: Tree) -> bool:
    """Whether it watches nothing, so that nothing of a bake concerns it."""
    declared = rule.get("ruleTypeId")
    return isinstance(declared, dict) and declared.get("provider") in PROOFS


def _goes_back(action: Tree) -> bool:
    declared = action.get("actionTypeId")
    name = declared.get("provider") if isinstance(declared, dict) else None
    known = ACTION_NAMES.get(name) if isinstance(name, str) else None
    return known is not None and known.keys.keys() >= BACK_TABLE.keys()
