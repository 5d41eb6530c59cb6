"""What a bake may say of its verdicts, its signals and its watch; and what it may not, with the mend."""

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from controlplane.declarations.load import load_text, parse_text
from controlplane.declarations.schema import json_schema
from controlplane.declarations.yaml_spelling import to_yaml
from tests.controlplane.declarations.samples import changed, problems

WHOLE = """interval: 1s
      extendUpTo: 30m
      quorum: 1
      endEarly: true
      earlyPower: 0.95
      watch: 4h
      consequences: {FAIL: rollback, INCONCLUSIVE: pass, NO_DATA: hold, UNREACHABLE: holdAndPage}"""
SIGNAL = "- name: Errors\n"


def saying(words: str) -> str:
    return changed(("interval: 1s", f"interval: 1s\n      {words}"))


def test_all_of_it_is_kept_in_each_rules_configuration_and_read_again() -> None:
    text = changed(("interval: 1s", WHOLE), (SIGNAL, f"{SIGNAL}          critical: true\n"))
    declared = load_text(text)
    (rule,) = declared.stage("Prod").rules()
    for key, value in (("WhenInconclusive", "pass"), ("Watch", "4h"), ("Critical", "true")):
        assert rule.configuration[key] == value
    again = to_yaml(declared)
    assert parse_text(again) == declared
    for line in WHOLE.splitlines()[1:]:
        assert line.strip() in again
    assert "critical: true" in again


def test_the_editors_schema_knows_it() -> None:
    text = changed(("interval: 1s", WHOLE), (SIGNAL, f"{SIGNAL}          critical: true\n"))
    schema = Draft202012Validator(json_schema())
    assert not list(schema.iter_errors(YAML(typ="safe").load(text)))
    wrong = text.replace("NO_DATA: hold", "NO_DATA: rollback")
    assert list(schema.iter_errors(YAML(typ="safe").load(wrong)))


REFUSED = [
    (
        "consequences: {UNREACHABLE: rollback}",
        "32:35: stages.Prod.bake.consequences.UNREACHABLE: 'rollback' is none of holdAndPage, hold",
    ),
    ("consequences: {NO_DATA: rollback}", "silence is neither health nor proof of a bad release"),
    ("consequences: {UNREACHABLE: rollback}", "an outage of the monitoring says nothing"),
    ("consequences: {NO_DATA: pass}", "32:31: stages.Prod.bake.consequences.NO_DATA: 'pass'"),
    ("consequences: {UNREACHABLE: page}", "'page' is none of"),
    ("consequences: {INCONCLUSIVE: rollback}", "too few samples prove no bad release"),
    ("consequences: {SILENCE: hold}", "32:22: stages.Prod.bake.consequences.SILENCE: unknown key"),
    ("consequences: hold", "32:21: stages.Prod.bake.consequences: must be a map"),
    ("quorum: 2", "32:15: stages.Prod.bake.quorum: 2 of 1 signals that are not critical can never"),
    ("watch: 8d", "32:14: stages.Prod.bake.watch: 8d is too long: at most 168h"),
    ("endEarly: maybe", "32:17: stages.Prod.bake.endEarly: 'maybe' is neither true nor false"),
    ("watch: '#{variables.long}'", "stages.Prod.bake.watch: is read before variables have values"),
    (
        "onFail: fail\n      consequences: {FAIL: rollback}",
        "33:28: stages.Prod.bake.consequences.FAIL: the bake says FAIL of a breach: keep one",
    ),
]


@pytest.mark.parametrize(("words", "said"), REFUSED, ids=lambda value: value[:30])
def test_what_it_may_not_say_is_told_where_it_stands(words: str, said: str) -> None:
    assert any(said in line for line in problems(saying(words))), problems(saying(words))


def test_signals_of_one_bake_have_one_quorum() -> None:
    second = "\n        - {name: B, provider: CloudWatchAlarm, with: {AlarmName: b, Quorum: 2}}"
    text = changed(("{AlarmName: shop-errors}", "{AlarmName: a, Quorum: 1}" + second))
    (said,) = problems(text)
    assert "signals.B.with.Quorum: is another quorum than the first signal's" in said


def test_critical_is_said_once() -> None:
    text = changed(
        (SIGNAL, f"{SIGNAL}          critical: true\n"),
        ("{AlarmName: shop-errors}", "{AlarmName: a, Critical: true}"),
    )
    assert "signals.Errors.critical: says the same as `with.Critical`" in problems(text)[0]
