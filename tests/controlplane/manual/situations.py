"""What has happened before a reader opens a page of the book: the situations that its commands are typed in."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from moto import mock_aws

from accounts.base import AccountError, Clients
from accounts.registry import StaticRegistry
from controlplane import chain
from controlplane.doctor import examine
from controlplane.engine.drill_runs import DrillRuns
from controlplane.engine.gate_commands import Scope
from controlplane.sandbox.scripted import ScriptedAlarm, after, judging, source_of, succeed
from controlplane.server import create_app
from controlplane.store.roles import Role
from monitors.base import Outcome, Verdict
from tests.support.clients import StubClients
from tests.support.doors import SECRET, Doors, Nowhere, account
from tests.support.explained import rolled_back
from tests.support.house import ANNE, BAD, House, deploying, pipeline, source
from tests.support.moving import moving, structure


@dataclass
class Situation:
    """An installation.

    names: what a page's placeholders are here; one that holds another goes first. settings: what else the
    reader's shell has exported. pause: what passes while a command waits for so many seconds. then: what
    happens after a line was typed.
    """

    doors: Doors
    names: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    pause: Callable[[float], object] = field(default=lambda _: None)
    then: Callable[[str], object] = field(default=lambda _: None)

    def put_in(self, line: str) -> str:
        """The line with what the reader puts in for its placeholders."""
        for placeholder, real in self.names.items():
            line = line.replace(placeholder, real)
        return line

    def exported(self) -> dict[str, str]:
        """What the reader's shell has exported."""
        doors = self.doors
        return {
            "TOWPATH_URL": "http://towpath",
            "TOWPATH_TOKEN": doors.tokens[Role.ADMIN],
            "TOWPATH_DATABASE_URL": str(doors.house.database.engine.url),
            "TOWPATH_SECRET": SECRET,
            **self.settings,
        }


@contextmanager
def released(folder: Path) -> Iterator[Situation]:
    """shop has one release in Prod, and all is well."""
    doors = Doors(folder)
    _release(doors.house)
    yield Situation(doors)


@contextmanager
def audited(folder: Path) -> Iterator[Situation]:
    """The same, and somebody had noted the head of the audit log before the last decision."""
    doors = Doors(folder)
    _release(doors.house)
    with doors.client() as client:
        head = chain.verify(client.get("/api/v1/audit").json()["entries"])
    doors.house.commands.disable_transition("shop", "Prod", ANNE, reason="a fair")
    yield Situation(doors, {"812:9f2c...": str(head)})


@contextmanager
def frozen(folder: Path) -> Iterator[Situation]:
    """A freeze is open already: the page's own are the second and the third."""
    doors = Doors(folder)
    _release(doors.house)
    doors.house.commands.freeze(Scope("shop", "", "", None), ANNE, reason="the first")
    yield Situation(doors)


@contextmanager
def went_bad(folder: Path) -> Iterator[Situation]:
    """A second release slowed down and came back; its digest is in quarantine, Prod is held."""
    doors = Doors(folder)
    bad = rolled_back(doors.house)
    yield Situation(doors, {"EXECUTION": bad, "sha256:0123": BAD})


@contextmanager
def stuck(folder: Path) -> Iterator[Situation]:
    """Its way back failed; what hindered it is mended by now."""
    doors = Doors(folder)
    doors.house.drivers["CodeDeployRestore"].default = after(2, Outcome.FAILED, "no disk")
    bad = rolled_back(doors.house)
    doors.house.drivers["CodeDeployRestore"].default = succeed
    good = doors.house.rows()[-1].id
    yield Situation(doors, {"--to EXECUTION": f"--to {good}", "EXECUTION": bad})


@contextmanager
def silent(folder: Path) -> Iterator[Situation]:
    """A second release bakes, and its rule has no data: it is held."""
    doors = Doors(folder)
    _release(doors.house)
    doors.house.drivers["S3"].default = source_of(BAD)
    doors.house.drivers["CloudWatchAlarm"].default = judging(Verdict.NO_DATA)
    baking = doors.house.start()
    doors.house.wait(20)
    yield Situation(doors, {"EXECUTION": baking})


@contextmanager
def unreached(folder: Path) -> Iterator[Situation]:
    """The accounts do not answer."""
    doors = Doors(folder)
    _release(doors.house)
    examined(doors, Nowhere(doors.registry))
    yield Situation(doors)


@contextmanager
def half_upgraded(folder: Path) -> Iterator[Situation]:
    """The database was brought to a schema of a later version."""
    doors = Doors(folder)
    _release(doors.house)
    with doors.house.database.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'r9999'")
    yield Situation(doors)


@contextmanager
def badly_drilled(folder: Path) -> Iterator[Situation]:
    """A drill of Test failed, for the disk was full; it has room again, and a role lacks a right."""
    doors, alarm = Doors(folder), ScriptedAlarm()
    doors.registry = StaticRegistry([account(name) for name in ("dev", "test", "prod")])
    house = doors.house
    house.apply(pipeline(source(), _there("Test"), _there("Prod")))
    house.start()
    house.wait(40)
    lacks = AccountError("The role lacks codedeploy:StopDeployment.", permanent=True)
    examined(doors, StubClients(doors.registry, refuse=lacks))
    house.drivers["CloudWatchAlarm"].default = alarm.watched
    house.drivers["CodeDeploy"].default = after(2, Outcome.FAILED, "no disk")
    runs = DrillRuns(house.database, house.structures, house.commands, alarm, house._now)

    def pause(seconds: float) -> None:
        for _ in range(int(seconds)):
            house.wait(1)
            runs.step()

    with doors.client() as client:
        failed = client.post("/api/v1/pipelines/shop/stages/Test/drill").json()["id"]
    pause(30)
    house.drivers["CodeDeploy"].default = succeed
    yield Situation(doors, {"EXECUTION": failed}, pause=pause)


def _release(house: House) -> None:
    house.apply(pipeline(source(), _there("Prod")))
    house.start()
    house.wait(20)


def _there(name: str) -> dict[str, Any]:
    """A stage in the account of its name, in that account's region."""
    told = deploying(name, Account=name.lower())
    (condition,) = told["onSuccess"]["conditions"]
    for doing in (*told["actions"], *condition["rules"]):
        doing["region"] = "eu-west-1"
    return told


def examined(doors: Doors, clients: Clients) -> None:
    """The product's own doctor looks, by these clients."""
    house = doors.house

    def doctor(name: str) -> list[dict[str, object]]:
        return examine(house.database, house.structures, clients, name, doors.settings)

    doors.app = create_app(replace(doors.parts(), doctor=doctor))


@contextmanager
def importing(folder: Path) -> Iterator[Situation]:
    """Files: get-pipeline's JSON, a template, the accounts. Another shop than the template's is stored."""
    doors = Doors(folder)
    _release(doors.house)
    old = structure("old-shop")
    (folder / "pipelines").mkdir()
    for file in ("old-shop.json", "pipelines/old-shop.json"):
        (folder / file).write_text(json.dumps({"pipeline": old}), encoding="utf-8")
    (folder / "template.yaml").write_text(TEMPLATE, encoding="utf-8")
    known = [one.model_dump(mode="json", by_alias=True) for one in doors.registry.all()]
    (folder / "accounts.yaml").write_text(json.dumps({"accounts": known}), encoding="utf-8")
    yield Situation(doors)


TEMPLATE = """
Parameters:
  Env: {Type: String}
Resources:
  Shop:
    Type: AWS::CodePipeline::Pipeline
    Properties:
      Name: shop
      RoleArn: arn:aws:iam::000000000437:role/CodePipeline
      ArtifactStore: {Type: S3, Location: artifacts-prod}
      Stages:
        - Name: Source
          Actions:
            - Name: Upload
              ActionTypeId: {Category: Source, Owner: AWS, Provider: S3, Version: '1'}
              Configuration: {S3Bucket: releases, S3ObjectKey: shop.zip}
              OutputArtifacts: [{Name: App}]
        - Name: Prod
          Actions:
            - Name: Deploy
              ActionTypeId: {Category: Deploy, Owner: AWS, Provider: CodeDeploy, Version: '1'}
              Configuration: {ApplicationName: shop, DeploymentGroupName: !Sub 'shop-${Env}'}
              InputArtifacts: [{Name: App}]
"""


@contextmanager
def migrating(folder: Path) -> Iterator[Situation]:
    """CodePipeline in prod has shop and shop-front; one is released over there once shop is followed."""
    role = {"roleArn": f"arn:aws:iam::{account('prod').id}:role/CodePipeline"}
    with moving(folder) as two:
        for name in ("shop", "shop-front"):
            two.aws.create_pipeline(pipeline=structure(name) | role)

        def release_over_there(line: str) -> None:
            if "--shadow" in line:
                two.old.house.start()
                two.shadow.follow()

        yield Situation(two.new, then=release_over_there)


@contextmanager
def topics(folder: Path) -> Iterator[Situation]:
    """AWS, in this process; tools is registered."""
    doors = Doors(folder)
    tools = account("tools").model_dump(mode="json", by_alias=True)
    (folder / "accounts.yaml").write_text(json.dumps({"accounts": [tools]}), encoding="utf-8")
    own = {
        "AWS_ACCESS_KEY_ID": "made",
        "AWS_SECRET_ACCESS_KEY": "up",
        "AWS_DEFAULT_REGION": "eu-west-1",
    }
    with mock_aws():
        yield Situation(doors, settings={"TOWPATH_ACCOUNTS_FILE": f"{folder}/accounts.yaml", **own})
