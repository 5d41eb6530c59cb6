"""The README's story: a pipeline is applied, one release is let through by hand, the next one is taken back."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fastapi import Request, Response
from starlette.middleware.base import RequestResponseEndpoint

from accounts.base import AccountError
from accounts.registry import StaticRegistry
from controlplane.engine.drill_runs import DrillRuns
from controlplane.sandbox.scripted import Scripted, ScriptedAlarm, judging, source_of
from monitors.base import Verdict
from tests.controlplane.manual.situations import Situation, examined
from tests.support.clients import StubClients
from tests.support.doors import Doors, account, asks_a_person
from tests.support.house import ANNE, BAD, GOOD

PIPELINE = """\
pipeline: shop
stages:
  - name: Source
    account: dev
    region: eu-west-1
    actions:
      - {name: Upload, provider: S3, outputs: [App], with: {S3Bucket: releases, S3ObjectKey: shop.zip}}
  - name: Test
    account: test
    region: eu-west-1
    actions:
      - {name: Promote, provider: S3Promote, inputs: [App], outputs: [AppTest]}
      - name: Deploy
        provider: CodeDeploy
        runOrder: 2
        inputs: [AppTest]
        with: {ApplicationName: shop, DeploymentGroupName: all}
    bake:
      time: 10s
      interval: 1s
      signals: [{name: Alarm, provider: CloudWatchAlarm, with: {AlarmName: errors}}]
    onFailure: rollback
  - name: Approve
    actions: [{name: Ask, provider: Manual}]
  - name: Prod
    account: prod
    region: eu-west-1
    actions:
      - {name: Promote, provider: S3Promote, inputs: [App], outputs: [AppProd]}
      - name: Deploy
        provider: CodeDeploy
        runOrder: 2
        inputs: [AppProd]
        with: {ApplicationName: shop, DeploymentGroupName: all}
    bake:
      time: 10s
      interval: 1s
      signals: [{name: Errors, provider: CloudWatchAlarm, with: {AlarmName: errors}}]
    onFailure: rollback
"""


@contextmanager
def told(folder: Path) -> Iterator[Situation]:
    """Nothing is there yet but the file and the accounts."""
    doors, names = Doors(folder), dict[str, str]()
    doors.registry = StaticRegistry([account(name) for name in ("dev", "test", "prod")])
    doors.house.others["Deploy", "Custom", "S3Promote"] = Scripted()
    asks_a_person(doors.house)
    lacks = AccountError("The role lacks codedeploy:StopDeployment.", permanent=True)
    examined(doors, StubClients(doors.registry, refuse=lacks))
    (folder / "pipeline.yaml").write_text(PIPELINE, encoding="utf-8")
    known = [one.model_dump(mode="json", by_alias=True) for one in doors.registry.all()]
    (folder / "accounts.yaml").write_text(json.dumps({"accounts": known}), encoding="utf-8")
    story = _Story(doors, names)

    @doors.app.middleware("http")
    async def passing(request: Request, answer: RequestResponseEndpoint) -> Response:
        """Time passes between two questions: nobody else lets the engine turn."""
        story.pause(15)
        return await answer(request)

    yield Situation(doors, names, pause=story.pause, then=story.then)


class _Story:
    """What happens between two commands. names: the placeholders, as the story goes."""

    def __init__(self, doors: Doors, names: dict[str, str]) -> None:
        self._house, self._names = doors.house, names
        self._alarm = ScriptedAlarm()
        house = self._house
        self._drills = DrillRuns(
            house.database, house.structures, house.commands, self._alarm, house._now
        )
        house.drivers["CloudWatchAlarm"].scripts["Alarm"] = self._alarm.watched
        house.drivers["CloudWatchAlarm"].scripts["Errors"] = judging(Verdict.NO_DATA)

    def pause(self, seconds: float) -> None:
        for _ in range(int(seconds)):
            self._house.wait(1)
            self._drills.step()

    def then(self, line: str) -> None:
        """Time passes; once the first release was judged, a second one bakes."""
        verb = line.split()[1]
        if verb == "start":
            self._names["EXECUTION"] = self._house.rows()[0].id
        self.pause(20)
        if verb == "judge":
            self._names["--to EXECUTION"] = f"--to {self._names.pop('EXECUTION')}"
            self._names["EXECUTION"] = self._second()
        if verb == "explain":  # what stands in Test is good again
            self._house.drivers["S3"].default = source_of(GOOD)
            self._house.start()
            self.pause(15)

    def _second(self) -> str:
        """A release that Test lets through, somebody approves, and Prod holds."""
        house = self._house
        house.drivers["S3"].default = source_of(BAD)
        second = house.start()
        self.pause(15)
        house.commands.decide_approval(second, "Approve", "Ask", ANNE, approve=True, summary="well")
        self.pause(2)
        return second
