"""The doctor reads the rules of gates and bakes once, and names what only the settings could know."""

from pathlib import Path
from typing import Any

from controlplane.declarations.model import ArtifactStore, PipelineDeclaration
from controlplane.doctor import examine, hops_of
from controlplane.sandbox.scripted import Scripted, judging
from controlplane.settings import GitHost, Settings
from monitors.base import MonitorError, Verdict
from tests.support.clients import FakeRegistry, StubClients
from tests.support.house import House, action, gated, pipeline, rule, source

WORK = {"name": "Work", "actions": [action("Do", "NoOp")]}
KEY = ("Gate", "Custom", "PrometheusQuery")


def findings(house: House, driver: Scripted, *rules: dict[str, Any]) -> list[str]:
    house.apply(pipeline(source(), gated(WORK, *rules)))
    reading = ({KEY: driver}, house.clock())
    found = examine(house.database, house.structures, StubClients(), "shop", Settings(), reading)
    return [one["message"] for one in found if not one["ok"]]


def query(**more: str) -> dict[str, Any]:
    return rule("Budget", "PrometheusQuery", "Custom", configuration={"Query": "q", **more})


def test_a_gates_rule_that_cannot_be_read_is_a_finding(tmp_path: Path) -> None:
    driver = Scripted(lambda _task, _asked: MonitorError("refused", permanent=True))
    assert findings(House(tmp_path), driver, query()) == ["Work/Budget: refused"]


def test_one_that_can_be_read_is_none_whatever_it_says(tmp_path: Path) -> None:
    assert findings(House(tmp_path), Scripted(judging(Verdict.FAIL)), query()) == []


def test_silence_is_a_finding(tmp_path: Path) -> None:
    driver = Scripted(judging(Verdict.NO_DATA))
    assert findings(House(tmp_path), driver, query()) == ["Work/Budget: NO_DATA, said NO_DATA"]


def test_silence_of_what_only_a_bake_watches_is_told_and_not_blamed(tmp_path: Path) -> None:
    house, driver = House(tmp_path), Scripted(judging(Verdict.NO_DATA))
    house.apply(pipeline(source(), {**WORK, "onSuccess": {"conditions": [{"rules": [query()]}]}}))
    reading = ({KEY: driver}, house.clock())
    found = examine(house.database, house.structures, StubClients(), "shop", Settings(), reading)
    assert ("Work/Budget: NO_DATA, said NO_DATA", True) in [(f["message"], f["ok"]) for f in found]


def test_names_that_the_settings_do_not_know_are_findings(tmp_path: Path) -> None:
    off = rule("Hours", "DeploymentWindow", configuration={"Calendar": "off"})
    calm = rule(
        "Calm", "OpenIncident", "Custom", configuration={"Alertmanager": "main", "Matchers": "a=b"}
    )
    found = findings(House(tmp_path), Scripted(judging(Verdict.PASS)), off, calm)
    assert [one.partition(",")[0] for one in found] == [
        "Work/Hours asks for Calendar 'off'",
        "Work/Calm asks for Alertmanager 'main'",
    ]


def test_a_git_source_needs_a_host_its_secret_and_its_token(tmp_path: Path) -> None:
    house = House(tmp_path)
    kind = {"category": "Source", "owner": "AWS", "provider": "CodeStarSourceConnection"}
    git = {"name": "Git", "actionTypeId": kind, "configuration": {"ConnectionArn": "arn:x/shop"}}
    house.apply(pipeline({"name": "Source", "actions": [git]}, WORK))
    host = GitHost(kind="github", secret_env="TOWPATH_NO_SUCH_SECRET")

    def missing(settings: Settings) -> list[str]:
        args = (house.database, house.structures, StubClients(), "shop", settings)
        return [f"{one['message']}. {one['mend']}" for one in examine(*args) if not one["ok"]]

    [unknown] = missing(Settings())
    assert "TOWPATH_GIT" in unknown
    secret, token = missing(Settings(git={"shop": host}))
    assert "Set TOWPATH_NO_SUCH_SECRET" in secret
    assert "Say tokenEnv of shop" in token


def test_the_stores_of_a_pipeline_are_walked_by_each_account_that_uses_them() -> None:
    upload = action("Upload", "S3", outputArtifacts=[{"name": "App"}], region="eu-west-1")
    upload["configuration"] = {"Account": "tools", "S3Bucket": "releases", "S3ObjectKey": "a.zip"}
    key = "arn:aws:kms:eu-west-1:111111111111:key/k"
    store = {"location": "shop-store", "encryptionKey": {"id": key, "type": "KMS"}}
    declared = pipeline({"name": "Source", "actions": [upload]}, WORK)
    stored = declared.model_copy(update={"artifact_store": ArtifactStore.model_validate(store)})

    def hops(of: PipelineDeclaration) -> set[tuple[str, str]]:
        found = hops_of(of, FakeRegistry())
        return {(hop.account, hop.operation) for hop in found if hop.purpose == "deploy"}

    assert hops(stored) - hops(declared) == {
        ("tools", "get_bucket_versioning"), ("tools", "describe_key"),
    }  # fmt: skip
    asked = [hop.parameters for hop in hops_of(stored, FakeRegistry()) if hop.service == "kms"]
    assert asked == [{"KeyId": key}]


def test_a_store_that_is_no_bucket_is_a_finding(tmp_path: Path) -> None:
    house = House(tmp_path)
    work = {**WORK, "actions": [action("Do", "NoOp", region="eu-west-1")]}
    wrong = ArtifactStore(location="${cfn.Bucket}")
    house.apply(pipeline(source(), work).model_copy(update={"artifact_store": wrong}))
    found = examine(house.database, house.structures, StubClients(), "shop", Settings())
    (said,) = [one for one in found if not one["ok"]]
    assert "'${cfn.Bucket}', which is no bucket's name" in said["message"]
    assert said["mend"] == "Say the name of a bucket."
