"""Hypothesis strategies over the model: whatever it can hold, runnable or not."""

from typing import Any

from hypothesis import strategies as st

from controlplane.declarations.items import compact
from controlplane.declarations.model import (
    ActionDeclaration,
    ActionTypeId,
    ArtifactName,
    ArtifactStore,
    BeforeEntry,
    Condition,
    EncryptionKey,
    EnvironmentVariable,
    ExecutionMode,
    Model,
    Notification,
    OnFailure,
    OnSuccess,
    OutputArtifact,
    PipelineDeclaration,
    Result,
    RetryConfiguration,
    RuleDeclaration,
    RuleTypeId,
    StageDeclaration,
    Variable,
)
from controlplane.declarations.providers import ACTIONS, type_id
from controlplane.declarations.rule_providers import RULES


def make(model: type[Model], **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Build a model of just these fields (`builds` would add the aliases of its signature)."""
    return st.fixed_dictionaries(fields).map(lambda given: model(**given))


names = st.from_regex(r"[A-Za-z0-9.@_-]{1,12}", fullmatch=True)
texts = st.text(max_size=30)
json_values: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
tricky = st.sampled_from(
    [
        "",
        "null",
        "~",
        "true",
        "True",
        "yes",
        "012",
        "-0",
        "1_000",
        "1e5",
        ".5",
        "5m",
        "2026-06-01",
        "<<",
        "=",
        "- a",
        "#x",
        "a: b",
        "{}",
        "[]",
        '{"a": 1}',
        '{"a":[1,2.5,"x",null]}',
        "[NaN]",
        "[1e400]",
        "  spaced  ",
        "two\nlines\n",
        "tab\tbed",
        "\u2028",
        "\x85",
        "\U0001f680",
        "#{a.b}",
    ]
)
values = tricky | texts | json_values.map(compact)
configurations = st.dictionaries(
    st.text(min_size=1, max_size=12) | st.just("Account"), values, max_size=4
)
artifacts = st.lists(names.map(lambda name: ArtifactName(name=name)), max_size=2).map(tuple)
made = st.lists(
    make(OutputArtifact, name=names)
    | make(OutputArtifact, name=names, files=st.lists(texts, max_size=2).map(tuple)),
    max_size=2,
).map(tuple)
variables = st.lists(
    make(
        EnvironmentVariable,
        name=st.text(min_size=1, max_size=20),
        value=texts,
        type=st.sampled_from([None, "PLAINTEXT", "SECRETS_MANAGER"]),
    ),
    max_size=2,
).map(tuple)
timeouts = st.none() | st.integers(5, 86400)

known_actions = st.sampled_from([ActionTypeId.model_validate(type_id(p)) for p in ACTIONS])
other_actions = make(
    ActionTypeId,
    category=st.sampled_from(
        ["Source", "Build", "Deploy", "Test", "Invoke", "Approval", "Compute"]
    ),
    owner=st.sampled_from(["AWS", "ThirdParty", "Custom"]),
    provider=st.text(min_size=1, max_size=35) | st.sampled_from(["CodeBuild", "CodeDeploy", "S3"]),
    version=st.sampled_from(["1", "2", "v-1"]),
)
known_rules = st.sampled_from([RuleTypeId.model_validate(type_id(p)) for p in RULES])
other_rules = make(
    RuleTypeId,
    owner=st.sampled_from(["AWS", "Custom"]),
    provider=st.text(min_size=3, max_size=35) | st.sampled_from(["DeploymentWindow"]),
)
places = st.none() | st.sampled_from(["eu-west-1", "us-east-1"]) | texts

actions = make(
    ActionDeclaration,
    name=names,
    action_type_id=known_actions | other_actions,
    run_order=st.integers(1, 999),
    configuration=configurations,
    input_artifacts=artifacts,
    output_artifacts=made,
    commands=st.lists(texts, max_size=2).map(tuple),
    output_variables=st.lists(texts, max_size=2).map(tuple),
    environment_variables=variables,
    role_arn=st.none() | texts,
    region=places,
    namespace=st.none() | names,
    timeout_in_minutes=timeouts,
)
rules = make(
    RuleDeclaration,
    name=names,
    rule_type_id=known_rules | other_rules,
    configuration=configurations
    | st.fixed_dictionaries(
        {"BakeTime": st.sampled_from(["5m", "1h"]), "Interval": values, "Account": texts}
    )
    | st.fixed_dictionaries(
        {"WhenFail": st.sampled_from(["hold", "rollback", ""]), "Quorum": st.sampled_from("12")},
        optional={"Critical": st.sampled_from(["true", "false"]), "WhenNoData": values},
    ),
    input_artifacts=artifacts,
    role_arn=st.none() | texts,
    region=places,
    timeout_in_minutes=timeouts,
)
conditions = make(
    Condition, result=st.sampled_from(Result), rules=st.lists(rules, max_size=3).map(tuple)
)
condition_lists = st.lists(conditions, max_size=2).map(tuple)
stages = make(
    StageDeclaration,
    name=names,
    actions=st.lists(actions, min_size=1, max_size=3).map(tuple),
    before_entry=st.none() | make(BeforeEntry, conditions=condition_lists),
    on_success=st.none() | make(OnSuccess, conditions=condition_lists),
    on_failure=st.none()
    | make(
        OnFailure,
        result=st.none() | st.sampled_from(Result),
        retry_configuration=st.none() | make(RetryConfiguration),
        conditions=condition_lists,
    ),
)
stores = make(
    ArtifactStore,
    location=texts,
    encryption_key=st.none() | make(EncryptionKey, id=texts),
)
notifications = make(
    Notification,
    provider=st.sampled_from(["SNS", "Slack", "Webhook"]),
    configuration=configurations
    | st.fixed_dictionaries({"Channel": texts, "Url": texts, "topicArn": texts}),
    events=st.lists(texts, max_size=2).map(tuple),
)
declarations = make(
    PipelineDeclaration,
    name=names,
    stages=st.lists(stages, min_size=1, max_size=3).map(tuple),
    role_arn=st.none() | texts,
    artifact_store=st.none() | stores,
    artifact_stores=st.none() | st.dictionaries(texts, stores, max_size=2),
    version=st.none() | st.integers(1, 10**9),
    execution_mode=st.sampled_from(ExecutionMode),
    pipeline_type=st.sampled_from(["V1", "V2"]),
    variables=st.lists(
        make(
            Variable,
            name=st.text(min_size=1, max_size=20),
            default_value=st.none() | texts,
            description=st.none() | texts,
        ),
        max_size=2,
    ).map(tuple),
    triggers=st.lists(st.dictionaries(texts, json_values, max_size=2), max_size=2).map(tuple),
    notifications=st.lists(notifications, max_size=2).map(tuple),
)
"""Every declaration that the model can hold, most of which could not run."""
