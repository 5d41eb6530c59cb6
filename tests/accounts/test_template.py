"""The code's table of statements and the template that makes the roles say the same."""

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedSeq, TaggedScalar

from accounts.models import Purpose
from accounts.statements import (
    DECRYPT_ARTIFACTS,
    DECRYPT_SOURCE,
    LIST_ARTIFACTS,
    PASS_TASK_ROLES,
    READ_ARTIFACTS,
    SET_ALARMS,
    STATEMENTS,
    TEMPLATE,
    TRUST,
    granting,
)
from controlplane.actions.envelopes import READERS

FILE = Path(__file__).parents[2] / TEMPLATE
DEPLOYMENT = ("aws.codedeploy", "CodeDeploy Deployment State-change Notification")
PUSH = ("aws.codecommit", "CodeCommit Repository State Change")
BUILD = ("aws.codebuild", "CodeBuild Build State Change")
RULES = {"DeploymentRule": DEPLOYMENT, "BuildRule": BUILD, "RepositoryRule": PUSH}
SEND, TELLER = "sqs:SendMessage", "DeploymentEvents.Arn"
ROLES = {Purpose.WATCH: "Watch", Purpose.DEPLOY: "Deploy", Purpose.ROLLBACK: "Rollback"}


@pytest.fixture(scope="module")
def resources() -> Any:
    return YAML().load(FILE.read_text())["Resources"]


def as_list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else [value]


def granted(policy: Any) -> dict[str, set[str]]:
    statements = policy["PolicyDocument"]["Statement"]
    assert all(one["Effect"] == "Allow" for one in statements)
    return {one["Sid"]: set(as_list(one["Action"])) for one in statements}


@pytest.mark.parametrize("purpose", list(Purpose))
def test_each_role_has_the_statements_of_the_table(resources: Any, purpose: Purpose) -> None:
    (policy,) = resources[ROLES[purpose]]["Properties"]["Policies"]
    apart = (DECRYPT_SOURCE, SET_ALARMS, PASS_TASK_ROLES)
    table = {s.sid: set(s.actions) for s in STATEMENTS[purpose] if s not in apart}
    assert granted(policy) == table


def test_the_source_key_has_a_policy_of_its_own(resources: Any) -> None:
    use = resources["SourceKeyUse"]["Properties"]
    assert granted(use) == {DECRYPT_SOURCE.sid: set(DECRYPT_SOURCE.actions)}
    holders = {f"{role.value}" for role in use["Roles"]}
    assert holders == {ROLES[p] for p in Purpose if DECRYPT_SOURCE in STATEMENTS[p]}


USES = {
    "StoreUse": (
        "HasStores", [Purpose.DEPLOY],
        (LIST_ARTIFACTS.sid, READ_ARTIFACTS.sid, "WriteArtifacts", "ResumeUploads"),
    ),
    "StoreReading": ("HasStores", [Purpose.ROLLBACK], (LIST_ARTIFACTS.sid, READ_ARTIFACTS.sid)),
    "StoreKeyUse": ("HasStoreKeys", [Purpose.DEPLOY], ("EncryptArtifacts",)),
    "StoreKeyReading": (
        "HasStoreKeys", [Purpose.DEPLOY, Purpose.ROLLBACK], (DECRYPT_ARTIFACTS.sid,),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", USES)
def test_in_a_pipelines_store_a_role_may_what_it_may_in_the_accounts_own(
    resources: Any, name: str
) -> None:
    condition, purposes, sids = USES[name]
    use = resources[name]
    assert use["Condition"] == condition
    for purpose in purposes:
        known = {s.sid: set(s.actions) for s in STATEMENTS[purpose]}
        assert granted(use["Properties"]) == {sid: known[sid] for sid in sids}
    assert [role.value for role in use["Properties"]["Roles"]] == [ROLES[p] for p in purposes]


def test_alarms_may_be_set_only_where_drills_are_allowed(resources: Any) -> None:
    use = resources["DrillUse"]
    assert use["Condition"] == "AllowsDrills"
    assert granted(use["Properties"]) == {SET_ALARMS.sid: set(SET_ALARMS.actions)}
    assert [role.value for role in use["Properties"]["Roles"]] == ["Deploy"]


def test_only_who_deploys_hands_on_the_task_roles_and_to_nobody_but_tasks(resources: Any) -> None:
    use = resources["TaskRoleUse"]
    assert use["Condition"] == "HasTaskRoles"
    assert granted(use["Properties"]) == {PASS_TASK_ROLES.sid: set(PASS_TASK_ROLES.actions)}
    assert [role.value for role in use["Properties"]["Roles"]] == ["Deploy"]
    (statement,) = use["Properties"]["PolicyDocument"]["Statement"]
    assert statement["Resource"].value == "TaskRoleArns"
    only = {"iam:PassedToService": "ecs-tasks.amazonaws.com"}
    assert statement["Condition"]["StringEquals"] == only


@pytest.mark.parametrize("role", ROLES.values())
def test_every_role_trusts_towpath_alone_and_asks_for_the_external_id(
    resources: Any, role: str
) -> None:
    acts, says = resources[role]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert {one["Principal"]["AWS"].value for one in (acts, says)} == {"TowpathPrincipalArn"}
    assert acts["Condition"]["StringEquals"]["sts:ExternalId"].value == "ExternalId"
    assert {a: one["Sid"] for one in (acts, says) for a in as_list(one["Action"])} == dict(TRUST)


@pytest.mark.parametrize("role", ROLES.values())
def test_no_role_may_hand_roles_on_or_do_anything_at_all(resources: Any, role: str) -> None:
    (policy,) = resources[role]["Properties"]["Policies"]
    actions = set().union(*granted(policy).values())
    assert not any("*" in action or action.startswith(("iam:", "sts:")) for action in actions)


def test_the_watcher_changes_nothing() -> None:
    verbs = {a.partition(":")[2] for s in STATEMENTS[Purpose.WATCH] for a in s.actions}
    assert all(v.startswith(("Get", "List", "Describe", "BatchGet", "Decrypt")) for v in verbs)


def test_the_rollback_brings_nothing_new_in() -> None:
    assert not granting("s3:PutObject", Purpose.ROLLBACK)
    assert not granting("s3:GetObjectTagging", Purpose.ROLLBACK)
    assert granting("codedeploy:UpdateDeploymentGroup", Purpose.ROLLBACK) == ("OverrideAlarms",)


def test_the_bucket_keeps_versions_encrypted_and_to_itself(resources: Any) -> None:
    bucket = resources["ArtifactBucket"]["Properties"]
    assert bucket["VersioningConfiguration"]["Status"] == "Enabled"
    assert all(bucket["PublicAccessBlockConfiguration"].values())
    (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert isinstance(rule["ServerSideEncryptionByDefault"]["KMSMasterKeyID"], TaggedScalar)


@pytest.mark.parametrize(("name", "told"), RULES.items())
def test_what_ends_tells_the_queue_in_the_words_that_towpath_hears(
    resources: Any, name: str, told: tuple[str, str]
) -> None:
    rule = resources[name]
    pattern = rule["Properties"]["EventPattern"]
    assert [(s, d) for s in pattern["source"] for d in pattern["detail-type"]] == [told]
    assert told in READERS
    (target,) = rule["Properties"]["Targets"]
    assert (target["Arn"].value, target["RoleArn"].value) == ("EventsQueueArn", TELLER)


def test_who_tells_may_send_to_that_queue_and_nothing_else(resources: Any) -> None:
    role = resources["DeploymentEvents"]["Properties"]
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "events.amazonaws.com"}
    (policy,) = role["Policies"]
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert (statement["Action"], statement["Resource"].value) == (SEND, "EventsQueueArn")


def test_nobody_tells_where_no_queue_is_given(resources: Any) -> None:
    for name in ("DeploymentEvents", *RULES):
        assert resources[name]["Condition"] == "TellsOfDeployments"


def test_the_queue_lets_in_the_release_rule_the_named_roles_and_no_other() -> None:
    found = YAML().load((FILE.parent / "source-account.cfn.yaml").read_text())["Resources"]
    statements = found["QueuePolicy"]["Properties"]["PolicyDocument"]["Statement"]
    chosen = [one[1] if isinstance(one, CommentedSeq) else one for one in statements]
    senders = [one["Sid"] for one in chosen if SEND in as_list(one["Action"])]
    assert senders == ["EventBridgeSends", "AccountsTellOfDeployments"]
    assert chosen[1]["Principal"]["AWS"].value == "DeploymentEventsRoleArns"


@pytest.mark.parametrize("file", sorted(FILE.parent.glob("*.cfn.yaml")), ids=lambda f: f.name)
def test_a_template_has_no_alias_which_cloudformation_would_refuse(file: Path) -> None:
    from ruamel.yaml.events import AliasEvent

    events = YAML(typ="safe", pure=True).parse(file.read_text())
    assert not any(isinstance(event, AliasEvent) for event in events)
