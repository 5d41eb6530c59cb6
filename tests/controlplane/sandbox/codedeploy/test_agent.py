import pytest
from moto.s3.models import s3_backends

from tests.controlplane.sandbox.codedeploy.lab import Lab, alive, zip_of


def test_a_deployment_copies_the_files_and_runs_the_hooks(lab: Lab) -> None:
    lab.group()
    hook = 'env > "$INSTANCE_DIR/env"; pwd >> "$INSTANCE_DIR/env"'
    info = lab.deploy(lab.upload(hooks={"ApplicationStart": hook}))
    assert (info["status"], lab.installed()) == ("Succeeded", ["1"])
    environment = (lab.instances[0].root / "env").read_text()
    for expected in (
        "LIFECYCLE_EVENT=ApplicationStart",
        f"DEPLOYMENT_ID={info['deploymentId']}",
        "APPLICATION_NAME=shop",
        "DEPLOYMENT_GROUP_NAME=prod",
        "BUNDLE_DIGEST=sha256:",
        "ENVIRONMENT=prod",
        "deployment-archive",
    ):
        assert expected in environment
    assert "AWS_SECRET" not in environment


def test_a_failing_hook_fails_its_instance_with_diagnostics(lab: Lab) -> None:
    lab.group()
    info = lab.deploy(lab.upload(hooks={"ValidateService": "echo out; echo bad >&2; exit 3"}))
    assert info["status"] == "Failed"
    assert info["errorInformation"]["code"] == "HEALTH_CONSTRAINTS"
    told = lab.events(info["deploymentId"])["ValidateService"]["diagnostics"]
    assert (told["errorCode"], told["scriptName"]) == ("ScriptFailed", "ValidateService.sh")
    assert "exit code 3" in told["message"]
    assert told["logTail"].splitlines()[-2:] == ["[stdout]out", "[stderr]bad"]


def test_the_log_tail_is_at_most_four_kilobytes(lab: Lab) -> None:
    lab.group()
    info = lab.deploy(lab.upload(hooks={"AfterInstall": "seq 100000; exit 1"}))
    tail = lab.events(info["deploymentId"])["AfterInstall"]["diagnostics"]["logTail"]
    assert len(tail.encode()) <= 4096
    assert tail.endswith("[stdout]100000")


def test_a_hook_that_hangs_is_killed_with_what_it_started(lab: Lab) -> None:
    lab.group()
    spec = "version: 0.0\nos: linux\nhooks:\n  AfterInstall:\n    - {location: x.sh, timeout: 1}\n"
    script = '#!/bin/sh\nsleep 60 & echo $! > "$INSTANCE_DIR/child"; wait\n'
    content = zip_of({"appspec.yml": spec, "x.sh": script})
    info = lab.deploy(lab.upload_bytes(content, "hang.zip"))
    told = lab.events(info["deploymentId"])["AfterInstall"]["diagnostics"]
    assert told["errorCode"] == "ScriptTimedOut"
    assert not alive(int((lab.instances[0].root / "child").read_text()))


def test_a_missing_script_is_named(lab: Lab) -> None:
    lab.group()
    spec = "version: 0.0\nos: linux\nhooks:\n  AfterInstall:\n    - {location: gone.sh}\n"
    info = lab.deploy(lab.upload_bytes(zip_of({"appspec.yml": spec}), "x.zip"))
    told = lab.events(info["deploymentId"])["AfterInstall"]["diagnostics"]
    assert told["errorCode"] == "ScriptMissing"


@pytest.mark.parametrize("content", [b"", b"no archive", None])
def test_a_bundle_that_cannot_be_had_fails_download_bundle(lab: Lab, content: bytes | None) -> None:
    lab.group()
    revision = lab.upload_bytes(content or b"", "x.zip")
    if content is None:
        revision["s3Location"]["key"] = "nowhere.zip"
    info = lab.deploy(revision)
    events = lab.events(info["deploymentId"])
    assert events["DownloadBundle"]["status"] == "Failed"
    assert events["DownloadBundle"]["diagnostics"]["message"]
    assert events["Install"]["status"] == "Skipped"


def test_a_bucket_of_another_account_is_refused(lab: Lab) -> None:
    lab.group()
    s3_backends["999999999999"]["aws"].create_bucket("theirs", "eu-west-1")
    revision = lab.upload()
    revision["s3Location"]["bucket"] = "theirs"
    info = lab.deploy(revision)
    told = lab.events(info["deploymentId"])["DownloadBundle"]["diagnostics"]
    assert "Access Denied" in told["message"]


def test_a_bundle_without_appspec_fails_download_bundle(lab: Lab) -> None:
    lab.group()
    info = lab.deploy(lab.upload_bytes(zip_of({"x": "y"}), "x.zip"))
    told = lab.events(info["deploymentId"])["DownloadBundle"]["diagnostics"]
    assert "no appspec.yml" in told["message"]


def test_the_previous_revision_stops_the_application(lab: Lab) -> None:
    lab.group()
    note = 'echo "$LIFECYCLE_EVENT by {}" >> "$INSTANCE_DIR/log"'
    for release in (1, 2):
        lab.deploy(lab.upload(release, {"ApplicationStop": note.format(release)}))
    assert (lab.instances[0].root / "log").read_text() == "ApplicationStop by 1\n"


def test_a_broken_stop_script_of_the_previous_revision_may_be_ignored(lab: Lab) -> None:
    lab.group()
    lab.deploy(lab.upload(1, {"ApplicationStop": "exit 1"}))
    assert lab.deploy(lab.upload(2))["status"] == "Failed"
    info = lab.deploy(lab.upload(2), ignoreApplicationStopFailures=True)
    assert (info["status"], lab.installed()) == ("Succeeded", ["2"])


def test_a_file_that_the_agent_did_not_put_there_is_not_overwritten(lab: Lab) -> None:
    lab.group()
    path = lab.instances[0].root / "srv" / "release.txt"
    path.parent.mkdir()
    path.write_text("theirs")
    assert lab.deploy(lab.upload())["status"] == "Failed"
    assert path.read_text() == "theirs"
    lab.deploy(lab.upload(), fileExistsBehavior="RETAIN")
    assert path.read_text() == "theirs"
    lab.deploy(lab.upload(), fileExistsBehavior="OVERWRITE")
    assert path.read_text() == "1"
