"""`waves:`: every target once, sizes that grow, copies that do not meet, and mistakes where they stand."""

from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from accounts.yaml_text import read
from controlplane.declarations.load import MAX_BYTES, load_text
from controlplane.declarations.meaning import resolve
from controlplane.declarations.model import PipelineDeclaration, StageDeclaration
from controlplane.declarations.schema import json_schema
from controlplane.declarations.wave_keys import is_gate, target_of, waves
from controlplane.declarations.wave_sizes import Size, parse_size, sizes
from controlplane.declarations.wave_words import plan_lines
from controlplane.declarations.yaml_spelling import to_yaml
from tests.controlplane.declarations.samples import ACCOUNTS, ROOT, SMALL, changed, problems

WAVES = """\
    waves:
      targets:
        - {name: eu}
        - {account: prod, region: us-east-1, with: {DeploymentGroupName: us}}
      oneBox: {name: box}
      sizes: [1, 50%]
      maxInFlight: 5
      bake: 10m
      pause: 5m
"""
AT = "    actions:\n      - name: Promote"
PLACED = (AT, WAVES + AT)
GROUP = ("blue", '"shop-${target}"')


def waved(*changes: tuple[str, str]) -> str:
    return changed(PLACED, GROUP, *changes)


def prod(text: str) -> StageDeclaration:
    return load_text(text, "p.yaml", ACCOUNTS).stage("Prod")


def test_every_target_gets_a_copy_of_each_action_and_each_rule_of_its_own() -> None:
    stage = prod(waved())
    names = {action.name for action in stage.actions if target_of(action) == "eu"}
    assert names == {"Promote-eu", "Deploy-eu", "Canary-eu"}
    assert [rule.name for rule in stage.rules()] == [
        "Errors-box",
        "Errors-eu",
        "Errors-prod-us-east-1",
    ]


def test_run_orders_follow_wave_by_wave_with_a_bake_between_them() -> None:
    stage = prod(waved())
    assert [wave.targets for wave in waves(stage)] == [("box",), ("eu",), ("prod-us-east-1",)]
    orders = [(a.run_order, a.name) for a in stage.actions if is_gate(a)]
    assert orders == [(4, "Wave-1-bake"), (8, "Wave-2-bake")]
    assert [a.name for a in stage.run_orders[4]] == ["Promote-eu"]


def test_a_copy_deploys_what_was_promoted_to_its_own_target() -> None:
    stage = prod(waved())
    deploy = next(a for a in stage.actions if a.name == "Deploy-prod-us-east-1")
    assert [artifact.name for artifact in deploy.input_artifacts] == ["AppProd-prod-us-east-1"]
    assert (deploy.region, deploy.configuration["DeploymentGroupName"]) == ("us-east-1", "us")


def test_placeholders_are_filled_for_each_target() -> None:
    stage = prod(waved())
    groups = [a.configuration.get("DeploymentGroupName") for a in stage.actions]
    assert [group for group in groups if group] == ["shop-box", "shop-eu", "us"]


def test_accounts_by_regions_are_targets_too() -> None:
    crossed = "    waves: {accounts: [prod, dev], regions: [eu-west-1, us-east-1], sizes: [3]}\n"
    stage = prod(changed((AT, crossed + AT)))
    assert [wave.targets for wave in waves(stage)] == [
        ("prod-eu-west-1", "dev-eu-west-1", "prod-us-east-1"),
        ("dev-us-east-1",),
    ]


def test_one_of_the_targets_may_be_the_one_box() -> None:
    stage = prod(waved(("oneBox: {name: box}", "oneBox: prod-us-east-1")))
    assert waves(stage)[0].targets == ("prod-us-east-1",)


def test_variables_of_a_copied_namespace_are_read_from_the_targets_own_copy() -> None:
    spaced = ("runOrder: 2\n", "runOrder: 2\n        namespace: Put\n")
    used = ("{CanaryName: shop-prod}", '{CanaryName: "#{Put.DeploymentId}"}')
    stage = prod(waved(spaced, used))
    canary = next(a for a in stage.actions if a.name == "Canary-eu")
    assert canary.configuration["CanaryName"] == "#{Put-eu.DeploymentId}"


def test_what_is_expanded_is_spelled_and_read_again_without_loss() -> None:
    declared = load_text(waved(), "p.yaml", ACCOUNTS)
    assert load_text(to_yaml(declared), "p.yaml", ACCOUNTS) == declared
    text = declared.model_dump_json(by_alias=True, exclude_none=True)
    assert PipelineDeclaration.model_validate_json(text) == declared


def test_the_editors_schema_knows_waves_and_what_they_become() -> None:
    validator = Draft202012Validator(json_schema())
    for text in (waved(), to_yaml(load_text(waved(), "p.yaml", ACCOUNTS))):
        assert validator.is_valid(resolve(read(text, MAX_BYTES).data))


WRONG = [
    (
        "account: prod, region",
        "account: porto, region",
        "18:21: stages.Prod.waves.targets.1.account",
    ),
    ("us-east-1, with", "utopia, with", "18:35: stages.Prod.waves.targets.1.region: 'utopia'"),
    ("{name: eu}", "{name: box}", "17:11: stages.Prod.waves.targets.box: a second target 'box'"),
    ("{name: box}", "boxen", "19:15: stages.Prod.waves.oneBox: 'boxen' is none of the targets"),
    ("[1, 50%]", "[0]", "20:15: stages.Prod.waves.sizes.0: '0' is no size"),
    ("[1, 50%]", "[-1]", "20:15: stages.Prod.waves.sizes.0: '-1' is no size"),
    ("[1, 50%]", "[1, 101%]", "20:18: stages.Prod.waves.sizes.1: 101% is more than all"),
    ("[1, 50%]", "[3, 2]", "20:18: stages.Prod.waves.sizes.1: 2 is less than before: waves grow"),
    ("maxInFlight: 5", "maxInFlight: 0", "21:20: stages.Prod.waves.maxInFlight: 0 is too small"),
    ("bake: 10m", "bake: soon", "22:13: stages.Prod.waves.bake: 'soon' is no duration"),
    ("pause: 5m", "pauze: 5m", "23:7: stages.Prod.waves.pauze: unknown key"),
    (
        "shop-${target}",
        "shop-${goal}",
        "${goal}: is no placeholder; known: account, region, target",
    ),
    (
        "{DeploymentGroupName: us}",
        "{Group: us}",
        "18:53: stages.Prod.waves.targets.1.with.Group: no a",
    ),
    ("- name: Promote", f"- name: {'P' * 88}", "has more than 90 characters: shorten it"),
    ("{name: eu}", "{name: e u}", "17:18: stages.Prod.waves.targets.e u.name: 'e u' is no name"),
]


@pytest.mark.parametrize(("old", "new", "said"), WRONG)
def test_a_mistake_is_told_where_it_stands_and_alone(old: str, new: str, said: str) -> None:
    (problem,) = problems(waved((old, new)))
    assert said in problem


def test_a_stage_whose_waves_have_no_target_is_refused() -> None:
    (problem,) = problems(changed((AT, "    waves: {bake: 5m}\n" + AT)))
    assert problem.startswith("15:12: stages.Prod.waves: has no target")


def test_where_waves_are_wrong_nothing_else_is_said_of_what_they_would_have_given() -> None:
    text = changed((AT, "    waves: {bake: 5m}\n" + AT), ("    account: prod\n", ""))
    (problem,) = problems(text)
    assert problem.startswith("14:12: stages.Prod.waves: has no target")


def test_the_example_in_the_docs_is_right_and_so_is_its_plan() -> None:
    blocks = (ROOT / "docs" / "waves.md").read_text("utf-8").split("```")
    stage, plan = blocks[1].removeprefix("yaml\n"), blocks[3].strip()
    head = SMALL[: SMALL.index("  - name: Prod")].replace("[App]", "[Shop]")
    declared = load_text(head + "".join(f"  {line}\n" for line in stage.splitlines()))
    assert "\n".join(plan_lines(declared)).endswith(plan)


def test_more_than_can_be_run_is_refused() -> None:
    many = ", ".join(f"{{name: t{i}}}" for i in range(150))
    (problem,) = problems(changed((AT, f"    waves: {{targets: [{many}]}}\n" + AT)))
    assert "150 targets make more than 400 of these" in problem


SIZES = st.lists(st.builds(Size, st.integers(1, 100), st.booleans()), max_size=5)


@given(st.integers(0, 300), SIZES)
def test_waves_take_every_target_once_and_none_is_empty(total: int, declared: list[Size]) -> None:
    made = sizes(total, declared)
    assert sum(made) == total
    assert all(size > 0 for size in made)


@given(st.integers(1, 300))
def test_waves_double_where_no_size_is_declared(total: int) -> None:
    made = sizes(total)
    assert all(later == 2 * size for size, later in pairwise(made[:-1]))


@given(st.text(max_size=8))
def test_a_size_is_at_least_one_target_or_refused(text: str) -> None:
    with suppress(ValueError):
        assert parse_size(text).of(10) >= 1
