"""CodeBuild and Commands: what a build is asked for, found again by its token, and how its end is told."""

import hashlib
import json
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.actions import clones
from controlplane.actions.base import ActionError, MonitorError, Outcome, Progress, Task
from controlplane.actions.build_words import TOKEN as TOKEN_NAME
from controlplane.actions.build_words import environment
from controlplane.actions.codebuild import CodeBuild
from controlplane.actions.s3_content import Digester
from monitors.base import Shell
from tests.controlplane.actions.fake_codebuild import FakeCodeBuild
from tests.controlplane.actions.fake_s3 import FakeS3
from tests.controlplane.actions.making import NOW, TOKEN, bundle, digest_of, task
from tests.support.clients import StubClients
from tests.support.scripted import Operation, Refusal, scripted

BUCKET = "towpath-artifacts-444444444444"
SOURCE = bundle(name="Source", location="s3://releases/shop.zip", account="tools")
CONFIG = replace(SOURCE, name="Other-Config", location="s3://releases/config.zip", version="v7")


class Vendors:
    """CodeBuild and S3 as one test needs them, and the driver between them."""

    def __init__(self, *, digester: Digester | None = None, **other: Operation) -> None:
        self.builds, self.s3 = FakeCodeBuild("shop", "runner"), FakeS3()
        codebuild = scripted("codebuild", **{**self.builds.operations(), **other})
        clients = StubClients(codebuild=codebuild, s3=self.s3)
        self.driver = CodeBuild(clients, digester, commands_project="runner")

    @property
    def request(self) -> dict[str, Any]:
        return self.builds.requests[-1]

    def ends(self, asked: Task, status: str = "SUCCEEDED", **told: Any) -> Progress | MonitorError:
        """Let its build end so, and look."""
        handle = self.driver.start(asked).handle
        self.builds.builds[handle] |= {"buildStatus": status, "buildBatchStatus": status, **told}
        return self.driver.look([replace(asked, handle=handle)])[asked.token]

    def wrote(self, content: bytes = b"built", name: str = "App") -> dict[str, Any]:
        """What a build tells of an artifact that it wrote."""
        key = f"builds/shop/{TOKEN}/{name}.zip"
        self.s3.put(BUCKET, key, content)
        digest = hashlib.sha256(content).hexdigest()
        return {"location": f"arn:aws:s3:::{BUCKET}/{key}", "sha256sum": digest}


def build(**more: str) -> Task:
    return task(configuration={"ProjectName": "shop", **more}, inputs=(SOURCE,), outputs=("App",))


def commands(**more: Any) -> Task:
    shell = Shell(("make", 'echo "a: b"'), ("VERSION",), (("A", "1", "PLAINTEXT"),), ("dist/**",))
    return task(**{"shell": shell, "inputs": (SOURCE,), "outputs": ("App",), **more})


def refused(asked: Task) -> str:
    with pytest.raises(ActionError) as caught:
        Vendors().driver.start(asked)
    assert caught.value.permanent
    return str(caught.value)


def test_a_build_reads_the_version_that_was_tested_and_writes_under_its_token() -> None:
    vendors = Vendors()
    vendors.driver.start(build())
    asked = vendors.request
    source = ("S3", "releases/shop.zip", "v1")
    assert source == tuple(
        asked[key] for key in ("sourceTypeOverride", "sourceLocationOverride", "sourceVersion")
    )
    made = asked["artifactsOverride"]
    assert (made["location"], made["path"], made["name"]) == (
        BUCKET,
        f"builds/shop/{TOKEN}",
        "App.zip",
    )
    assert (asked["idempotencyToken"], asked["autoRetryLimitOverride"]) == (TOKEN, 0)


def test_what_it_makes_may_go_where_other_accounts_can_read_it() -> None:
    vendors = Vendors()
    vendors.driver.start(build(ArtifactBucket="releases"))
    assert vendors.request["artifactsOverride"]["location"] == "releases"


def test_a_build_without_outputs_says_so_as_a_project_of_codepipeline_needs_it() -> None:
    vendors = Vendors()
    vendors.driver.start(replace(build(), outputs=()))
    assert vendors.request["artifactsOverride"] == {"type": "NO_ARTIFACTS"}


def test_several_inputs_and_outputs_go_by_names_that_codebuild_takes() -> None:
    vendors = Vendors()
    many = replace(build(PrimarySource="Source"), inputs=(CONFIG, SOURCE), outputs=("App", "Docs"))
    vendors.driver.start(many)
    asked = vendors.request
    assert asked["sourceLocationOverride"] == "releases/shop.zip"
    assert asked["secondarySourcesOverride"] == [
        {"type": "S3", "location": "releases/config.zip", "sourceIdentifier": "Other_Config"}
    ]
    versions = [{"sourceIdentifier": "Other_Config", "sourceVersion": "v7"}]
    assert asked["secondarySourcesVersionOverride"] == versions
    assert asked["artifactsOverride"] == {"type": "NO_ARTIFACTS"}
    secondary = [one["artifactIdentifier"] for one in asked["secondaryArtifactsOverride"]]
    assert secondary == ["App", "Docs"]


def test_variables_are_handed_over_with_the_token_by_which_the_build_is_found() -> None:
    vendors = Vendors()
    given_ = [{"name": "STAGE", "value": "prod"}, {"name": "KEY", "value": "k", "type": TYPE}]
    vendors.driver.start(build(EnvironmentVariables=json.dumps(given_)))
    told = {one["name"]: (one["value"], one["type"]) for one in vendors.request[ENVIRONMENT]}
    assert told == {
        "STAGE": ("prod", "PLAINTEXT"),
        "KEY": ("k", TYPE),
        TOKEN_NAME: (TOKEN, "PLAINTEXT"),
    }


TYPE, ENVIRONMENT = "SECRETS_MANAGER", "environmentVariablesOverride"


def test_commands_are_a_buildspec_of_the_settings_project() -> None:
    vendors = Vendors()
    vendors.driver.start(commands())
    assert vendors.request["projectName"] == "runner"
    assert json.loads(vendors.request["buildspecOverride"]) == {
        "version": "0.2",
        "phases": {"build": {"commands": ["make", 'echo "a: b"']}},
        "env": {"exported-variables": ["VERSION"]},
        "artifacts": {"files": ["dist/**"]},
    }


def test_commands_without_an_input_have_no_source() -> None:
    vendors = Vendors()
    vendors.driver.start(commands(inputs=()))
    assert vendors.request["sourceTypeOverride"] == "NO_SOURCE"


def test_commands_may_name_their_project() -> None:
    vendors = Vendors()
    vendors.driver.start(commands(configuration={"ProjectName": "shop"}))
    assert vendors.request["projectName"] == "shop"


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (replace(build(), inputs=(SOURCE, CONFIG)), "PrimarySource of action act must be one of"),
        (replace(build(), inputs=(replace(SOURCE, version=""),)), "is not pinned to a version"),
        (build(EnvironmentVariables='[{"name": "A"}]'), "every variable has a name and a value"),
        (build(BatchEnabled="true"), "its output needs CombineArtifacts"),
        (replace(build(), configuration={}), "has no ProjectName"),
        (commands(shell=Shell()), "has no commands"),
        (replace(build(), outputs=("a-b", "a_b")), "CodeBuild can tell apart"),
    ],
)
def test_what_cannot_be_built_is_refused_before_anything_is_asked(asked: Task, said: str) -> None:
    assert said in refused(asked)


@pytest.mark.parametrize("batch", ["false", "true"])
def test_after_the_tokens_five_minutes_a_lost_build_is_found_by_its_environment(batch: str) -> None:
    vendors = Vendors()
    asked = build(BatchEnabled=batch, CombineArtifacts=batch)
    first = vendors.driver.start(asked)
    vendors.builds.forget()
    for _ in range(5):
        vendors.builds.add()
    vendors.builds.page = 2
    again = vendors.driver.start(replace(asked, again=True))
    assert (again.handle, vendors.builds.begun) == (first.handle, 1)


def test_of_a_build_and_its_retry_by_hand_the_first_is_ours() -> None:
    vendors = Vendors()
    first = vendors.driver.start(build()).handle
    copy = dict(vendors.builds.builds[first])
    copy.pop("id")
    vendors.builds.add(**{**copy, "startTime": NOW.replace(hour=10)})
    assert vendors.driver.start(replace(build(), again=True)).handle == first


def test_a_full_house_is_waited_for() -> None:
    full = Refusal("AccountLimitExceededException", "Cannot have more than 1 builds in queue")
    with pytest.raises(ActionError, match="waiting for a free place") as caught:
        Vendors(start_build=lambda _: full).driver.start(build())
    assert not caught.value.permanent


def test_a_token_that_codebuild_knows_of_another_request_is_looked_for_again() -> None:
    other = Refusal("InvalidInputException", "Idempotency parameter mismatch")
    with pytest.raises(ActionError, match="has our token already") as caught:
        Vendors(start_build=lambda _: other).driver.start(build())
    assert not caught.value.permanent


def test_what_a_build_made_is_pinned_to_its_version_and_its_bytes() -> None:
    vendors = Vendors()
    seen = vendors.ends(build(), artifacts=vendors.wrote())
    assert isinstance(seen, Progress)
    (made,) = seen.artifacts
    assert (made.name, made.digest, made.version, made.account) == (
        "App",
        digest_of(b"built"),
        "v1",
        "prod",
    )


def test_several_large_artifacts_are_read_a_piece_a_look() -> None:
    vendors = Vendors(digester=Digester(budget=4))
    asked = replace(build(), outputs=("App", "Docs"))
    told = [
        {**vendors.wrote(b"a longer one", name), "artifactIdentifier": name}
        for name in asked.outputs
    ]
    for versions in vendors.s3.objects.values():
        versions[-1].composite = True
    seen = [vendors.ends(asked, secondaryArtifacts=told) for _ in range(8)]
    outcomes = [one.outcome for one in seen if isinstance(one, Progress)]
    assert (outcomes[0], outcomes[-1]) == (Outcome.RUNNING, Outcome.SUCCEEDED)
    last = seen[-1]
    assert isinstance(last, Progress)
    assert [one.digest for one in last.artifacts] == [digest_of(b"a longer one")] * 2


def told_of(vendors: Vendors, **spoiled: Any) -> Progress | MonitorError:
    return vendors.ends(build(), artifacts={**vendors.wrote(), **spoiled})


@pytest.mark.parametrize(
    ("spoiled", "said"),
    [
        ({"sha256sum": "0" * 64}, "somebody else wrote there"),
        ({"location": ""}, "made no artifact App"),
        ({"location": f"arn:aws:s3:::{BUCKET}/nothing.zip"}, "there is no such object"),
    ],
)
def test_an_artifact_that_is_not_what_was_built_is_no_success(
    spoiled: dict[str, str], said: str
) -> None:
    error = told_of(Vendors(), **spoiled)
    assert isinstance(error, MonitorError)
    assert error.permanent and said in str(error)


def test_an_artifact_without_a_version_is_no_success() -> None:
    vendors = Vendors()
    vendors.s3.versioned = False
    error = told_of(vendors)
    assert isinstance(error, MonitorError) and "versioning" in str(error)


@pytest.mark.parametrize("status", ["FAILED", "FAULT", "TIMED_OUT", "STOPPED"])
def test_a_bad_end_tells_the_phase_and_its_cause_without_a_secret(status: str) -> None:
    context = {"statusCode": "COMMAND_EXECUTION_ERROR", "message": "make: password=hunter2"}
    phase = {"phaseType": "BUILD", "phaseStatus": "FAILED", "contexts": [context]}
    seen = Vendors().ends(build(), status, phases=[phase])
    assert isinstance(seen, Progress)
    assert seen.outcome is Outcome.FAILED
    assert "BUILD: COMMAND_EXECUTION_ERROR make" in seen.summary
    assert "hunter2" not in seen.summary


def test_a_state_that_nobody_knows_is_no_end() -> None:
    error = Vendors().ends(build(), "PAUSED")
    assert isinstance(error, MonitorError) and not error.permanent


@pytest.mark.parametrize(("minute", "permanent"), [(1, False), (59, True)])
def test_a_build_that_is_not_found_is_never_a_success(minute: int, permanent: bool) -> None:
    asked = replace(build(), handle="shop:gone", now=NOW.replace(minute=minute))
    error = Vendors().driver.look([asked])[TOKEN]
    assert isinstance(error, MonitorError) and error.permanent is permanent


def test_exported_variables_become_output_and_the_log_its_link() -> None:
    link = "https://eu-west-1.console.aws.amazon.com/cloudwatch/home#logs"
    seen = Vendors().ends(
        replace(build(), outputs=()),
        exportedEnvironmentVariables=[{"name": "VERSION", "value": "1.2"}],
        logs={"groupName": "g", "deepLink": link},
    )
    assert isinstance(seen, Progress)
    assert (seen.output, seen.url) == ({"VERSION": "1.2"}, link)


def test_too_much_exported_is_refused_whole() -> None:
    large = [{"name": "A", "value": "x" * 70_000}]
    error = Vendors().ends(replace(build(), outputs=()), exportedEnvironmentVariables=large)
    assert isinstance(error, MonitorError) and error.permanent


def test_a_lost_build_is_stopped_by_its_token_and_one_that_ended_is_left_alone() -> None:
    vendors = Vendors()
    vendors.driver.start(build())
    vendors.driver.stop(build())
    vendors.driver.stop(build())
    assert vendors.builds.stopped == 1


NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,9}", fullmatch=True)


@given(st.dictionaries(NAMES, st.text(max_size=20), max_size=5))
def test_variables_read_as_they_were_written(values: dict[str, str]) -> None:
    text = json.dumps([{"name": name, "value": value} for name, value in values.items()])
    assert {one.name: one.value for one in environment(text)} == values


@given(
    st.text(max_size=80) | st.recursive(st.text(max_size=5) | st.none(), st.lists).map(json.dumps)
)
def test_anything_else_is_refused_in_a_sentence(text: str) -> None:
    with suppress(ValueError):
        assert environment(text) == []


CONNECTION = "arn:aws:codestar-connections:eu-west-1:111111111111:connection/0a1b"
COMMIT = "c" * 40
REFERENCE = {
    "CloneUrl": "https://github.com/team/shop.git",
    "SourceType": "GITHUB",
    "CommitId": COMMIT,
    "ConnectionArn": CONNECTION,
}
AUTH = {"type": "CODECONNECTIONS", "resource": CONNECTION}


def cloning(vendors: Vendors, *inputs: Any, **said: str) -> Task:
    """A build of App, which only names a commit, and of others."""
    content = clones.written(REFERENCE | said)
    version = vendors.s3.put("releases", "sources/clone-ref.json", content)
    app = bundle(
        content, name="App", location="s3://releases/sources/clone-ref.json", version=version
    )
    return replace(build(PrimarySource="App"), inputs=(app, *inputs), references=("App",))


def test_a_commit_is_cloned_by_its_connection_with_all_of_its_history() -> None:
    vendors = Vendors()
    vendors.driver.start(cloning(vendors))
    asked = vendors.request
    assert asked["sourceTypeOverride"] == "GITHUB"
    assert asked["sourceLocationOverride"] == "https://github.com/team/shop.git"
    assert (asked["sourceVersion"], asked["gitCloneDepthOverride"]) == (COMMIT, 0)
    assert asked["sourceAuthOverride"] == AUTH


def test_beside_another_source_a_commit_is_cloned_too() -> None:
    vendors = Vendors()
    vendors.driver.start(
        replace(cloning(vendors, SOURCE), configuration=build(PrimarySource="Source").configuration)
    )
    asked = vendors.request
    assert (asked["sourceTypeOverride"], "sourceAuthOverride" in asked) == ("S3", False)
    assert asked["secondarySourcesOverride"] == [
        {
            "type": "GITHUB", "location": "https://github.com/team/shop.git", "gitCloneDepth": 0,
            "auth": AUTH, "sourceIdentifier": "App",
        }
    ]  # fmt: skip
    versions = [{"sourceIdentifier": "App", "sourceVersion": COMMIT}]
    assert asked["secondarySourcesVersionOverride"] == versions


def test_without_a_connection_of_aws_the_project_has_credentials_of_its_own() -> None:
    vendors = Vendors()
    vendors.driver.start(cloning(vendors, ConnectionArn="github"))
    assert "sourceAuthOverride" not in vendors.request


WRONG = [
    {"CommitId": "main"},
    {"CloneUrl": "file:///etc/passwd"},
    {"SourceType": "S3"},
]


@pytest.mark.parametrize("said", WRONG)
def test_what_names_no_commit_is_not_built(said: dict[str, str]) -> None:
    vendors = Vendors()
    with pytest.raises(ActionError, match="names no commit that CodeBuild could clone") as caught:
        vendors.driver.start(cloning(vendors, **said))
    assert caught.value.permanent
    assert not vendors.builds.requests


def test_a_reference_that_somebody_else_wrote_is_not_built() -> None:
    vendors = Vendors()
    asked = cloning(vendors)
    other = replace(asked.inputs[0], digest=digest_of(b"what was made"))
    with pytest.raises(ActionError, match="somebody else wrote there"):
        vendors.driver.start(replace(asked, inputs=(other,)))


HOSTS = [
    ("github", "https://api.github.com", ("GITHUB", "https://github.com")),
    ("github", "https://ghe.example.com/api/v3", ("GITHUB_ENTERPRISE", "https://ghe.example.com")),
    ("gitlab", "https://gitlab.com/api/v4", ("GITLAB", "https://gitlab.com")),
    (
        "gitlab",
        "https://git.example.com/api/v4",
        ("GITLAB_SELF_MANAGED", "https://git.example.com"),
    ),
    ("bitbucket", "https://api.bitbucket.org/2.0", ("BITBUCKET", "https://bitbucket.org")),
]


@pytest.mark.parametrize(("kind", "api", "known"), HOSTS)
def test_a_host_is_what_codebuild_calls_it(kind: str, api: str, known: tuple[str, str]) -> None:
    assert clones.where(kind, api, "https://bitbucket.org") == known
