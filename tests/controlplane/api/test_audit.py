"""What people decide through the doors is in the audit log, with who and by which door."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from controlplane.chain import verify
from controlplane.cli import app, auditing
from controlplane.sandbox.scripted import after, source_of
from controlplane.store.roles import Role
from monitors.base import Outcome
from tests.support.doors import Doors
from tests.support.house import BAD, deploying, pipeline, source

RUN = CliRunner()


@pytest.fixture
def doors(tmp_path: Path) -> Doors:
    return Doors(tmp_path)


@pytest.fixture
def asked(doors: Doors, monkeypatch: pytest.MonkeyPatch) -> Doors:
    """Doors that the command line asks."""

    class Asking:
        def get(self, path: str, **params: Any) -> Any:
            answer = doors.client().get(f"/api/v1{path}", params=params)
            assert answer.status_code == 200
            return answer.json()

    monkeypatch.setattr(auditing, "Api", Asking)
    return doors


def decide(doors: Doors) -> None:
    admin = doors.client()
    doors.house.apply(pipeline(source(), deploying("Prod")))
    where = "/api/v1/pipelines/shop/stages/Prod/transition"
    assert admin.request("DELETE", where, json={"reason": "a fair"}).status_code == 204
    made = admin.post("/api/v1/tokens", json={"name": "ci", "role": "viewer"}).json()
    assert admin.delete(f"/api/v1/tokens/{made['id']}").status_code == 204


def entries(doors: Doors) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = doors.client().get("/api/v1/audit").json()["entries"]
    return found


def test_each_decision_is_there_with_who_and_the_door(doors: Doors) -> None:
    decide(doors)
    found = entries(doors)
    assert [(e["who"], e["door"], e["kind"]) for e in found if e["who"] == "admin"] == [
        ("admin", "api", "transition.disabled"),
        ("admin", "api", "token.created"),
        ("admin", "api", "token.revoked"),
    ]
    assert verify(found).id == len(found)
    assert "tp_" not in json.dumps(found)


def test_what_towpath_decides_itself_is_there_as_its_own(doors: Doors) -> None:
    house = doors.house
    house.apply(pipeline(source(), deploying("Prod")))
    house.start()
    house.clock.advance(60)
    house.settle()
    house.drivers["S3"].default = source_of(BAD)
    house.drivers["CodeDeploy"].default = after(0, Outcome.FAILED, "it does not start")
    execution = house.start()
    own = [e for e in entries(doors) if e["who"] == "towpath"]
    assert {e["kind"] for e in own} >= {"digest.quarantined", "rollback.requested"}
    assert {e["door"] for e in own} == {"engine"}
    assert execution in {e["executionId"] for e in own}


def test_a_refused_request_decides_nothing(doors: Doors) -> None:
    before = len(entries(doors))
    assert doors.client(Role.VIEWER).get("/api/v1/audit").status_code == 403
    assert doors.client().post("/api/v1/tokens", json={"name": "ci", "role": "king"}).is_error
    assert len(entries(doors)) == before


def test_the_command_line_verifies_what_it_is_given(asked: Doors, tmp_path: Path) -> None:
    decide(asked)
    whole = RUN.invoke(app, ["audit", "verify"])
    head = whole.stdout.strip().splitlines()[-1]
    assert whole.exit_code == 0
    export = RUN.invoke(app, ["audit", "export"]).stdout
    (tmp_path / "kept.jsonl").write_text(export, encoding="utf-8")
    kept = ["audit", "verify", str(tmp_path / "kept.jsonl")]
    assert RUN.invoke(app, [*kept, "--head", head]).exit_code == 0
    bent = export.replace("a fair", "a fire")
    (tmp_path / "kept.jsonl").write_text(bent, encoding="utf-8")
    found = RUN.invoke(app, kept)
    assert (found.exit_code, "was changed" in found.stderr) == (1, True)
    other = RUN.invoke(app, ["audit", "verify", "--head", "1:" + "0" * 64])
    assert (other.exit_code, "is not in it" in other.stderr) == (1, True)


@pytest.mark.parametrize("text", ["[]", "{", "\udcff"])
def test_a_file_that_is_no_export_is_named_with_its_line(tmp_path: Path, text: str) -> None:
    file = tmp_path / "no.jsonl"
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    found = RUN.invoke(app, ["audit", "verify", str(file)])
    assert (found.exit_code, "no.jsonl" in found.stderr) == (2, True)
