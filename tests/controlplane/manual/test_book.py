"""The book: what is made of the code is up to date, every page is found, every command is one."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from controlplane.cli import app
from controlplane.client.api import Exit
from controlplane.journal import DECISIONS, TOLD
from controlplane.manual.commands import CODES
from controlplane.manual.events import ABOUT
from controlplane.manual.keys import keys_page
from controlplane.manual.pages import PAGES
from controlplane.manual.settings import what_is_said
from controlplane.settings import Settings
from tests.support.book import BOOK, commands, environment, mentioned

ALERTS = Path("deploy/prometheus/towpath-alerts.yml")
PROMTOOL = Path("/usr/bin/promtool")


@pytest.mark.parametrize("name", PAGES)
def test_a_page_that_is_made_is_what_the_code_makes_now(name: str) -> None:
    assert (BOOK / name).read_text(encoding="utf-8") == PAGES[name]()


def test_every_kind_that_concerns_somebody_is_told() -> None:
    assert set(ABOUT) == {*TOLD, *DECISIONS}


def test_every_exit_code_is_told() -> None:
    assert set(CODES) == set(Exit)


def test_every_setting_is_told() -> None:
    assert set(what_is_said()) == set(Settings.model_fields)


def test_a_key_says_whether_it_is_required_and_what_it_may_be() -> None:
    text = keys_page()
    assert "| `AlarmName` | alarm | text (**required**) |" in text
    assert "| `interval` | how often to look | duration, at least 1s, at most 1h |" in text


def test_the_book_builds_without_a_warning(tmp_path: Path) -> None:
    """Every page stands in the navigation, and no link leads nowhere."""
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path / "book")],
        env=environment(NO_MKDOCS_2_WARNING="1"),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "book/runbooks/engine-stalled/index.html").exists()


COMMANDS = sorted(
    {
        (name, line)
        for name in (str(page.relative_to(BOOK)) for page in BOOK.rglob("*.md"))
        for line in (*commands(name), *mentioned(name))
    }
)
"""Those of blocks are run as well: by tests/journeys/test_tutorial.py, and by test_howtos.py."""


@pytest.mark.parametrize(("page", "line"), COMMANDS)
def test_every_command_of_every_page_is_one_with_such_options(page: str, line: str) -> None:
    words = shlex.split(line, comments=True)
    words = words[words.index("towpath") :]
    ends = [n for n, word in enumerate(words) if word in {"|", "||", ">", "&&", "&"}]
    done = CliRunner().invoke(app, [*words[1 : min(ends, default=len(words))], "--help"])
    assert done.exit_code == 0, f"{page}: {line}: {done.output}"


def alerts() -> list[dict[str, object]]:
    """The alerts that are shipped."""
    (group,) = yaml.safe_load(ALERTS.read_text(encoding="utf-8"))["groups"]
    return [one for one in group["rules"] if "alert" in one]


def test_every_alert_links_a_runbook_that_is_there() -> None:
    listed = (BOOK / "runbooks/index.md").read_text(encoding="utf-8")
    for alert in alerts():
        url = str(alert["annotations"]["runbook_url"])  # type: ignore[index]
        page = url.removeprefix("https://towpath.example/docs/").rstrip("/")
        assert (BOOK / f"{page}.md").exists(), url
        assert f"`{alert['alert']}`" in listed


def test_every_metric_of_an_alert_is_served() -> None:
    served = set(re.findall(r"`(towpath_\w+)`", PAGES["reference/metrics.md"]()))
    asked = set(re.findall(r"\btowpath_\w+", ALERTS.read_text(encoding="utf-8")))
    assert asked
    assert asked <= served


@pytest.mark.skipif(
    os.environ.get("CI") != "true" and not PROMTOOL.exists(), reason="no Prometheus here"
)
def test_each_alert_fires_for_what_it_is_for_and_not_before() -> None:
    done = subprocess.run(
        [PROMTOOL, "test", "rules", "towpath-alerts_test.yml"],
        cwd=ALERTS.parent,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
