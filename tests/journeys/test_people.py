"""What people do on the command line against a running Towpath in the sandbox, and what goes wrong."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest

from controlplane.demo.processes import answer
from controlplane.demo.stage import Stage
from controlplane.demo.story import Story
from controlplane.sandbox.shipped import path as shipped


class Person:
    """Somebody with a terminal."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self._environment = {
            **os.environ,
            "TOWPATH_URL": stage.api.url,
            "TOWPATH_TOKEN": stage.token,
            "NO_COLOR": "1",
            "COLUMNS": "400",
        }

    def says(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run a command."""
        command = [sys.executable, "-m", "controlplane.cli", *arguments]
        return subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=120,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            check=False,
        )

    def sees(self, *arguments: str) -> Any:
        """The JSON that a command answers."""
        done = self.says(*arguments, "-o", "json")
        assert done.stdout, done.stderr
        return json.loads(done.stdout)


@pytest.fixture(scope="module")
def person(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Person]:
    stage = Stage(tmp_path_factory.mktemp("stage"), Story(to_stderr=True), 0)
    try:
        stage.open()
        stage.release(1)
        yield Person(stage)
    finally:
        stage.close()


@contextmanager
def root(person: Person, service: str, account: str) -> Iterator[Any]:
    """A client that may do everything in an account of the sandbox."""
    world = answer(f"{person.stage.sandbox_url}/_sandbox/world")
    key = world["accounts"][account]["root_access_key_id"]
    session: Any = boto3.Session(key, "sandbox", region_name=world["region"])
    with closing(session.client(service, endpoint_url=person.stage.sandbox_url)) as client:
        yield client


def test_the_doctor_finds_nothing_missing_in_the_shipped_roles(person: Person) -> None:
    done = person.says("doctor", "shop")
    assert done.returncode == 0, done.stdout
    assert "the last known good of prod/eu-west-1/shop/shop-prod is none yet" in done.stdout


@contextmanager
def without(person: Person, account: str, role: str, service: str) -> Iterator[None]:
    """A role whose policy says nothing of a service for a while."""
    with root(person, "iam", account) as iam:
        names = iam.list_role_policies(RoleName=role)["PolicyNames"]
        policies = {n: iam.get_role_policy(RoleName=role, PolicyName=n) for n in names}
        try:
            for name, found in policies.items():
                write(iam, role, name, found["PolicyDocument"], service)
            yield
        finally:
            for name, found in policies.items():
                write(iam, role, name, found["PolicyDocument"], "")


def write(iam: Any, role: str, name: str, policy: Mapping[str, Any], left_out: str) -> None:
    kept = [
        statement
        for statement in policy["Statement"]
        if not left_out or left_out not in json.dumps(statement["Action"])
    ]
    document = json.dumps({**policy, "Statement": kept})
    iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=document)


def test_the_doctor_names_the_statement_that_is_missing(person: Person) -> None:
    with without(person, "test", "TowpathWatch", "cloudwatch:"):
        done = person.says("doctor", "shop")
    assert done.returncode == 1
    (line,) = [line for line in done.stdout.splitlines() if "MISSING" in line]
    assert "cloudwatch:DescribeAlarms" in line
    assert "account-roles.cfn.yaml" in line


def test_the_status_of_a_release_that_waits_is_told_with_its_rules(person: Person) -> None:
    done = person.says("status", "shop")
    while done.returncode == 0:  # it is on its way
        done = person.says("status", "shop")
    assert done.returncode == 4, done.stderr
    assert "alarm shop-test-errors is OK" in done.stdout


def test_malformed_yaml_is_refused_with_its_place(person: Person, tmp_path: Path) -> None:
    file = tmp_path / "p.yaml"
    file.write_text(
        "pipeline: shop\nstages:\n  - name: Source\n    colour: blue\n", encoding="utf-8"
    )
    done = person.says("validate", str(file))
    assert done.returncode == 1
    assert f"{file}:4:5: " in done.stderr


def test_an_unknown_account_is_refused_and_nothing_is_stored(
    person: Person, tmp_path: Path
) -> None:
    before = versions(person)
    file = tmp_path / "p.yaml"
    text = shipped("examples/pipeline.yaml").read_text(encoding="utf-8")
    file.write_text(text.replace("account: dev ", "account: dve "), encoding="utf-8")
    done = person.says("apply", str(file))
    assert done.returncode == 1
    assert "dve" in done.stderr
    assert versions(person) == before


def versions(person: Person) -> dict[str, int]:
    """What is stored, whatever is on its way through it."""
    return {found["name"]: found["version"] for found in person.sees("get", "pipelines")}


def test_what_destroys_asks_and_needs_yes_where_nobody_can_answer(person: Person) -> None:
    done = person.says("rollback", "shop", "Prod", "-m", "why not")
    assert done.returncode == 2
    assert "--yes" in done.stderr


def test_a_rollback_of_what_was_never_deployed_is_refused_in_words(person: Person) -> None:
    done = person.says("rollback", "shop", "Prod", "-m", "why not", "--yes")
    assert done.returncode == 1
    assert "nothing was ever deployed by shop in Prod" in done.stderr


def test_a_bundle_that_is_missing_fails_the_source_with_a_sentence(person: Person) -> None:
    pinned = "Release=00000000-no-such-version"
    execution = person.says("start", "shop", "--revision", pinned).stdout.strip()
    done = person.says("status", execution, "--watch")
    assert done.returncode == 3, done.stdout
    assert "no-such-version" in done.stdout


@contextmanager
def shut(person: Person, account: str, role: str) -> Iterator[None]:
    """A role that trusts nobody for a while."""
    with root(person, "iam", account) as iam:
        trust = iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
        closed = [{**statement, "Effect": "Deny"} for statement in trust["Statement"]]
        document = json.dumps({**trust, "Statement": closed})
        iam.update_assume_role_policy(RoleName=role, PolicyDocument=document)
        try:
            yield
        finally:
            document = json.dumps(trust)
            iam.update_assume_role_policy(RoleName=role, PolicyDocument=document)


def test_a_role_that_may_not_be_assumed_fails_in_words_and_names_it(person: Person) -> None:
    with shut(person, "dev", "TowpathDeploy"):
        execution = person.says("start", "shop").stdout.strip()
        done = person.says("status", execution, "--watch")
    assert done.returncode == 3, done.stdout
    assert "TowpathDeploy" in person.says("status", execution).stdout


def test_a_wrong_token_is_told_so(person: Person) -> None:
    command = [sys.executable, "-m", "controlplane.cli", "get", "pipelines"]
    environment = {**os.environ, "TOWPATH_URL": person.stage.api.url, "TOWPATH_TOKEN": "tp_wrong"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 5
    assert "TOWPATH_TOKEN" in done.stderr
