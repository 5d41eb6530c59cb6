"""towpath notify: what is refused before anything is asked of AWS."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from controlplane.cli import app
from controlplane.client.api import Exit


def test_bad_addresses_are_all_named_and_nothing_is_made() -> None:
    asked = ["notify", "setup", "--account", "tools", "--topic", "towpath-shop"]
    answer = CliRunner().invoke(app, [*asked, "--email", "anne", "--sms", "0151"])
    assert answer.exit_code == Exit.USAGE
    assert "--email 'anne'" in answer.output and "--sms '0151'" in answer.output


def test_an_account_that_is_not_registered_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOWPATH_DATABASE_URL", f"sqlite:///{tmp_path}/towpath.db")
    asked = ["notify", "test", "--account", "nowhere", "--topic", "towpath-shop"]
    answer = CliRunner().invoke(app, asked)
    assert "nowhere" in str(answer.exception)
