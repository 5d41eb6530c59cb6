"""`towpath import` says what came over and what was refused, by its words and by its exit code."""

import json
from pathlib import Path

import botocore.session
import pytest
from botocore.validate import ParamValidator
from typer.testing import CliRunner, Result

from controlplane.cli import app
from controlplane.declarations.load import load_text
from controlplane.store.roles import Role
from tests.controlplane.declarations.samples import EXAMPLES
from tests.support.doors import Doors
from tests.support.typing_in import Reader

WORKS = {"category": "Deploy", "owner": "AWS", "provider": "OpsWorks", "version": "1"}
STRUCTURE = {
    "name": "shop",
    "roleArn": "arn:aws:iam::111122223333:role/p",
    "stages": [{"name": "Old", "actions": [{"name": "Works", "actionTypeId": WORKS}]}],
    "version": 7,
}


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["import", *arguments])


@pytest.fixture
def structure(tmp_path: Path) -> str:
    file = tmp_path / "shop.json"
    file.write_text(json.dumps({"pipeline": STRUCTURE, "metadata": {"created": "1"}}))
    return str(file)


def test_a_structure_comes_over_with_its_report(structure: str) -> None:
    done = run(structure)
    assert done.exit_code == 0
    assert "0 of 1 actions run as they are" in done.stderr
    assert "Old.Works: Deploy/AWS/OpsWorks is retired" in done.stderr
    assert "metadata" in done.stderr and done.stdout == ""


def test_it_is_written_in_another_spelling_and_back(structure: str, tmp_path: Path) -> None:
    (tmp_path / "shop.yaml").write_text(run(structure, "--to", "yaml").stdout)
    back = run(str(tmp_path / "shop.yaml"), "--to", "codepipeline").stdout
    assert json.loads(back) == {"pipeline": STRUCTURE}


def test_what_has_no_counterpart_is_said(structure: str) -> None:
    done = run(structure, "--to", "cloudformation")
    assert "version 7 is left out" in done.stderr
    (resource,) = json.loads(done.stdout)["Resources"].values()
    assert resource["Properties"]["Stages"][0]["Actions"][0]["ActionTypeId"]["Owner"] == "AWS"


def test_one_that_is_refused_keeps_no_other(structure: str, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("pipeline: shop\nstags: []\n")
    done = run(str(tmp_path / "bad.yaml"), structure)
    assert done.exit_code == 2
    assert "bad.yaml:2:1: stags: unknown key (did you mean 'stages'?)" in done.stderr
    assert "1 pipeline imported, 1 file refused" in done.stderr


def test_a_parameter_is_a_name_and_a_value(structure: str) -> None:
    assert run(structure, "--parameter", "Env").exit_code == 2


PROD = """
accounts:
  - name: prod
    id: "111122223333"
    environment: prod
    regions: [eu-west-1]
    roles:
      watch: arn:aws:iam::111122223333:role/W
      deploy: arn:aws:iam::111122223333:role/D
      rollback: arn:aws:iam::111122223333:role/R
    externalId: external
    artifactBucket: artifacts
"""


def test_a_role_of_a_registered_account_says_where_it_acts(tmp_path: Path) -> None:
    kind = {"category": "Invoke", "owner": "AWS", "provider": "Lambda", "version": "1"}
    call = {"name": "Call", "actionTypeId": kind, "configuration": {"FunctionName": "f"}}
    structure = {**STRUCTURE, "stages": [{"name": "S", "actions": [call]}]}
    (tmp_path / "p.json").write_text(json.dumps({"pipeline": structure}))
    (tmp_path / "accounts.yaml").write_text(PROD)
    told = ("--accounts", str(tmp_path / "accounts.yaml"), "--region", "eu-west-1")
    done = run(str(tmp_path / "p.json"), *told, "--to", "yaml")
    assert "1 action acts in account prod" in done.stderr
    assert "account: prod" in done.stdout and "region: eu-west-1" in done.stdout
    assert "needs a registered account" in run(str(tmp_path / "p.json")).stderr


def test_wrong_accounts_are_told_before_anything_is_read(structure: str, tmp_path: Path) -> None:
    (tmp_path / "accounts.yaml").write_text("accounts: [{name: prod}]")
    done = run(structure, "--accounts", str(tmp_path / "accounts.yaml"))
    assert done.exit_code == 2 and "accounts[0].id" in done.stderr


def test_what_is_exported_is_what_codepipeline_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    doors = Doors(tmp_path)
    declared = load_text((EXAMPLES / "pipeline.yaml").read_text(encoding="utf-8"))
    role = "arn:aws:iam::111122223333:role/p"
    doors.house.apply(declared.model_copy(update={"role_arn": role}))
    reader = Reader(tmp_path, {"TOWPATH_TOKEN": doors.tokens[Role.ADMIN]}, monkeypatch)
    reader.asks(doors.app, lambda _: None)
    reader.types(f"towpath export {declared.name} --to codepipeline > exported.json")
    exported = json.loads((tmp_path / "exported.json").read_text(encoding="utf-8"))
    codepipeline = botocore.session.get_session().get_service_model("codepipeline")
    wanted = codepipeline.operation_model("CreatePipeline").input_shape
    assert wanted is not None
    report = ParamValidator().validate(exported, wanted)
    assert not report.has_errors(), report.generate_report()
    assert len(exported["pipeline"]["stages"]) == len(declared.stages)
