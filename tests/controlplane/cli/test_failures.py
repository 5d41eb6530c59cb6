"""Before a command has begun: one line that names the setting and the mend, and never a traceback."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from controlplane.cli import app


def towpath(*arguments: str, **settings: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "controlplane.cli", *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, **settings},
        stdin=subprocess.DEVNULL,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("TOWPATH_PORT", "abc", "TOWPATH_PORT: "),
        ("TOWPATH_SITES", "{bad", "TOWPATH_SITES, _PROMETHEUS, _ALERTMANAGER, _CALENDARS, "),
        ("TOWPATH_SLACK_PEOPLE", '{"U1": {"name": "x", "role": "boss"}}', "U1 has role 'boss'"),
        ("TOWPATH_DATABASE_URL", "postgres://h/d", "TOWPATH_DATABASE_URL: "),
        ("TOWPATH_DATABASE_URL", "sqlite:////nowhere/at/all.db", "unable to open database file"),
        ("TOWPATH_ACCOUNTS_FILE", "nowhere.yaml", "name a readable file"),
    ],
)
def test_a_setting_that_cannot_be_used_is_told_in_a_line(
    tmp_path: Path, name: str, value: str, said: str
) -> None:
    usable = {"TOWPATH_DATABASE_URL": f"sqlite:///{tmp_path}/t.db", "TOWPATH_PORT": "0"}
    done = towpath("serve", **{**usable, name: value})
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_token_of_other_letters_is_no_token() -> None:
    done = towpath("get", "pipelines", TOWPATH_TOKEN="ünï")
    assert done.returncode == 5
    assert "TOWPATH_TOKEN is no token" in done.stderr


@pytest.mark.parametrize("command", ["plan", "apply", "validate"])
def test_a_file_that_is_no_text_is_told_in_a_line(tmp_path: Path, command: str) -> None:
    file = tmp_path / "pipeline.yaml"
    file.write_bytes(b"\xff\xfe")
    done = CliRunner().invoke(app, [command, str(file)])
    assert (done.exit_code, "not UTF-8" in done.stderr) == (1, True)
