"""What is wrong with a gate is told at its line, before a release waits at it."""

import json
from datetime import UTC, datetime

import pytest

from controlplane.declarations.load import DeclarationError, load_text
from controlplane.declarations.yaml_spelling import to_yaml
from tests.controlplane.declarations.samples import ACCOUNTS, ROOT, changed, problems

NOW = datetime(2026, 6, 1, tzinfo=UTC)
GATE = "    beforeEntry:\n      conditions:\n        - rules:\n"
WINDOW = """            - name: Hours
              provider: DeploymentWindow
              with:
                TimeZone: Europe/Berlin
"""


def gate(rules: str, head: str = GATE) -> str:
    return changed(("    bake:\n", f"{head}{rules}    bake:\n"))


def told(rules: str) -> list[str]:
    return told_of(gate(rules))


def told_of(text: str) -> list[str]:
    try:
        load_text(text, "p.yaml", ACCOUNTS, NOW)
    except DeclarationError as error:
        return str(error).splitlines()
    return []


def one(provider: str, **keys: str) -> str:
    given = ", ".join(f"{key}: {json.dumps(value)}" for key, value in keys.items())
    return f"            - {{name: It, provider: {provider}, with: {{{given}}}}}\n"


def windows(*lines: str) -> str:
    return WINDOW + "".join(f"                {line}\n" for line in lines)


def promql(query: str) -> str:
    return one("PrometheusQuery", Query=query, Prometheus="main", Threshold="0.1")


WELL = [
    promql('sum(rate(errors{job=~"shop|("}[5m])) # it\'s a comment ('),
    windows("Cron: '* * 9-16 ? * MON-FRI *'"),
    windows("Allow: |", "  DTSTART:20260105T090000", "  DURATION:PT8H", "  RRULE:FREQ=DAILY"),
    windows("Deny: |", "  DTSTART;VALUE=DATE:20261224", "  DTEND;VALUE=DATE:20261227"),
    windows("Calendar: holidays"),
    one("CloudWatchAlarm", AlarmName="errors"),
    one("OpenIncident", Matchers='severity="critical"'),
    one("OpenIncident", Matchers='team=~"a|b"', Alertmanager="main"),
    one("PipelineState", Pipeline="till", Stage="Prod", State="Idle"),
    one("Expression", Expression="trigger.by != approver"),
    one("VariableCheck", Variable="#{Release.VersionId}", Operator="MATCHES", Value="v[0-9]+"),
    one("LambdaInvoke", FunctionName="may-we"),
]


@pytest.mark.parametrize("rules", WELL)
def test_what_may_stand_at_a_gate(rules: str) -> None:
    assert told(rules) == []


WRONG = [
    (one("Expression", Expression="bulid.id == 1"), "Expression: knows no 'bulid'"),
    (one("Expression", Expression='digest.startswith("a")'), "no function 'startswith'"),
    (one("Expression", Expression="digest =="), "Expression: is no CEL"),
    (one("Expression", Expression="digest == '" + "a" * 500 + "'"), "longer than 500"),
    (
        one("Expression", Expression="approvers.all(a, approvers.exists(b, a == b))"),
        "more than one",
    ),
    (one("Expression", Expression='digest == "#{Release.VersionId}"'), "variables.namespace.name"),
    (one("OpenIncident", Matchers="severity"), "Matchers: 'severity' is not understood"),
    (one("OpenIncident", Matchers='team=~"a|b"'), "compared with = and != only"),
    (one("VariableCheck", Variable="a", Operator="MATCHES", Value="("), "no regular expression"),
    (one("VariableCheck", Variable="a", Operator="LT", Value="b"), "Operator: 'LT' is none of EQ"),
    (one("PipelineState", Pipeline="till", State="idle"), "State: 'idle' is none of Idle"),
    (promql("sum(rate(errors[5m])"), "Query: is no PromQL: ) is missing at its end"),
    (promql("sum(rate(errors[5m)])"), "Query: is no PromQL: ) at 19 closes nothing"),
    (promql('errors{job="shop}'), "Query: is no PromQL: the text at 12 is not closed"),
    (windows("Interval: 1m"), "needs one of Cron, Allow, Deny, Calendar"),
    (windows("Cron: '0 9 * * 1-5'"), "Cron: '0 9 * * 1-5' has not 6 or 7 fields"),
    (windows("Cron: '0 * 9 ? * MON *'"), "the seconds are '0': only * is allowed"),
    (windows("Cron: '* * 9 ? * MON 2020'"), "Cron: never opens within five years from 2026-06-01"),
    (windows("Cron: '* * 9 31 2 ? *'"), "Cron: never opens"),
    (windows("Allow: |", "  RRULE:FREQ=DAILY"), "Allow: a window has no DTSTART"),
    (
        windows(
            "Allow: |",
            "  DTSTART:20200105T090000",
            "  DURATION:PT8H",
            "  RRULE:FREQ=DAILY;UNTIL=20210101T000000",
        ),
        "Allow: never opens",
    ),
    (
        windows(
            "Allow: |",
            "  DTSTART:20260105T090000",
            "  DURATION:PT8H",
            "  RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
        ),
        "Allow: never opens",
    ),
    (
        windows(
            "Cron: '* * 9-16 ? * MON-FRI *'",
            "Deny: |",
            "  DTSTART:20260105T080000",
            "  DURATION:PT12H",
            "  RRULE:FREQ=DAILY",
        ),
        "Cron: never opens",
    ),
    (
        windows("Deny: |", "  DTSTART;TZID=Mars/Base:20260105T080000", "  DURATION:PT1H"),
        "Deny: DTSTART: 'Mars/Base' is no time zone",
    ),
    (
        windows("Deny: |", "  DTSTART:20260105T080000", "  DURATION:PT1H", "  RRULE:FREQ=SECONDLY"),
        "Deny: RRULE: FREQ must be one of",
    ),
    (one("Expression", Expression="true", TimeZone="Berlin"), "TimeZone: 'Berlin' is no time zone"),
]


@pytest.mark.parametrize(("rules", "said"), WRONG)
def test_what_is_wrong_is_told_with_its_line(rules: str, said: str) -> None:
    found = told(rules)
    assert len(found) == 1 and said in found[0], found
    line = int(found[0].split(":")[1])
    assert 31 < line < 31 + 2 + len(rules.splitlines()), found


def test_the_gate_of_the_docs_can_be_declared() -> None:
    docs = (ROOT / "docs" / "gates.md").read_text()
    stage = docs.split("```yaml\n")[1].split("```")[0]
    rules = "".join(f"  {line}\n" for line in stage.split("  gate:\n")[1].splitlines())
    assert len(rules) > 500 and told_of(gate(rules, "    gate:\n")) == []


def test_a_list_of_rules_is_a_gate_that_fails() -> None:
    spelled = load_text(gate(WELL[1], "    gate:\n"))
    assert spelled == load_text(gate(WELL[1]))
    assert "gate:\n" in to_yaml(spelled) and "beforeEntry" not in to_yaml(spelled)


def test_what_is_wrong_in_the_short_spelling_is_told_there_too() -> None:
    wrong = gate(one("Expression", Expression="bulid"), "    gate:\n")
    assert problems(wrong)[0].startswith("30:67: stages.Prod.gate.It.with.Expression: knows no")


def test_both_spellings_of_a_gate_are_one_too_many() -> None:
    both = gate(WELL[1], "    gate: []\n" + GATE)
    assert any("gate" in line and "beforeEntry" in line for line in problems(both))


def test_a_gate_whose_result_is_left_out_fails() -> None:
    declared = load_text(gate(WELL[1]))
    gates = declared.stage("Prod").before_entry
    assert gates is not None and gates.conditions[0].result == "FAIL"
    assert load_text(to_yaml(declared)) == declared


@pytest.mark.parametrize(
    ("head", "said"),
    [
        (
            GATE.replace("- rules", "- result: ROLLBACK\n          rules"),
            "ROLLBACK is not for a gate",
        ),
        (GATE.replace("- rules", "- result: SKIP\n          rules"), "it waits, so it never skips"),
    ],
)
def test_a_result_that_a_gate_cannot_have(head: str, said: str) -> None:
    assert said in problems(gate(WELL[1], head))[0]


def test_a_gates_rule_is_not_for_a_bake() -> None:
    rule = "{name: It, provider: Expression, with: {Expression: 'true'}}"
    found = problems(changed(("      signals:\n", f"      signals:\n        - {rule}\n")))
    assert any("Expression stands under beforeEntry or onFailure only" in line for line in found), (
        found
    )


def test_a_gate_sees_only_what_earlier_stages_put_out() -> None:
    rule = one("VariableCheck", Variable="#{D.Id}", Operator="EQ", Value="1")
    text = gate(rule).replace(
        "        runOrder: 2\n", "        runOrder: 2\n        namespace: D\n", 1
    )
    assert "has the namespace 'D', but has not ended before" in problems(text)[0]


def test_a_gate_without_rules_is_none() -> None:
    found = problems(
        changed(("    bake", "    beforeEntry: {conditions: [{result: FAIL}]}\n    bake"))
    )
    assert "a gate without rules is no gate" in found[0]


def test_no_rule_may_have_the_freezes_name() -> None:
    assert "choose another" in problems(gate(WELL[5].replace("name: It", "name: Freeze")))[0]
