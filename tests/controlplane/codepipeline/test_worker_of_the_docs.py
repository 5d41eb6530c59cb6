"""The worker of docs/codepipeline-api.md, as it is written there, against a door on a socket."""

import re
from pathlib import Path
from typing import Any

import pytest

from controlplane.store.roles import Role
from tests.controlplane.codepipeline.test_jobs import create, scan
from tests.support.doors import Doors, served
from tests.support.house import pipeline, source
from tests.support.wire import REGION, Wire, key

TEXT = Path("docs/codepipeline-api.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
ACTIONS = (scan("Good"), scan("Bad", configuration={"Project": "shop", "Depth": "0"}))


def test_the_worker_does_what_waits(doors: Doors, monkeypatch: pytest.MonkeyPatch) -> None:
    create(Wire(doors).call)
    doors.house.apply(pipeline(source(), {"name": "Test", "actions": list(ACTIONS)}))
    execution = doors.house.start()
    (written,) = [block for block in BLOCKS if "poll_for_jobs" in block]
    made = key(doors, Role.JOB_WORKER)

    def look(data: Any) -> int:
        if "Depth" in data["actionConfiguration"]["configuration"]:
            raise ValueError("too deep")
        return 3

    with served(doors.app) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_CODEPIPELINE", url)
        monkeypatch.setenv("AWS_REGION", REGION)
        monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", made.id)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", made.secret)
        worker: dict[str, Any] = {"scan": look}
        exec(compile(written, "worker", "exec"), worker)  # noqa: S102 - our own documentation
        worker["work"]("shop")
    doors.house.settle()
    assert doors.house.texts("action.failed", execution) == ["JobFailed: too deep"]
    assert doors.house.kinds(execution).count("job.succeeded") == 1
