"""start, lift, unfreeze, judge, token, open: as they are typed off a terminal, and what a shell is offered."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from controlplane.cli import completing
from controlplane.cli.failures import sentence
from controlplane.client.api import ApiError, Exit
from controlplane.store.roles import Role
from tests.support.changed import changes_in_prod
from tests.support.doors import Doors, served
from tests.support.house import deploying, pipeline, source


@pytest.fixture
def doors(tmp_path: Path) -> Doors:
    made = Doors(tmp_path)
    made.house.apply(pipeline(source(), deploying("Prod")))
    return made


@pytest.fixture
def url(doors: Doors, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with served(doors.app) as found:
        monkeypatch.setitem(os.environ, "TOWPATH_URL", found)
        monkeypatch.setitem(os.environ, "TOWPATH_TOKEN", doors.tokens[Role.ADMIN])
        yield found


def typed(*words: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "controlplane.cli", *words]
    return subprocess.run(
        command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False
    )


@pytest.mark.usefixtures("url")
def test_a_start_says_the_exact_way_back() -> None:
    done = typed("start", "shop")
    assert done.returncode == 0 and len(done.stdout.strip()) == 36
    assert done.stderr.splitlines()[0] == "to roll back: towpath rollback shop Prod -m WHY"


@pytest.mark.usefixtures("url")
def test_a_start_that_is_waited_for_ends_by_its_time() -> None:
    """Nothing works here: no engine turns, so nothing ends."""
    done = typed("start", "shop", "--wait", "--timeout", "1s")
    assert done.returncode == Exit.TIMED_OUT and "it goes on" in done.stderr
    assert typed("start", "shop", "--wait", "--timeout", "soon").returncode == Exit.USAGE


@pytest.mark.parametrize(
    "line",
    [
        "lift sha256:1 -m well",
        "unfreeze 1 -m over",
        "judge e-1 Prod rollback -m bad",
        "rollback shop Prod -m bad",
        "token revoke tok-1",
        "stop e-1",
    ],
)
@pytest.mark.usefixtures("url")
def test_what_destroys_or_opens_needs_a_yes_where_nobody_can_answer(line: str) -> None:
    done = typed(*line.split())
    assert done.returncode == Exit.USAGE and "Say --yes where nobody can answer." in done.stderr
    assert typed(*line.split(), "--yes").returncode != Exit.USAGE


@pytest.mark.usefixtures("url")
def test_a_bake_is_extended_by_a_length_of_time(doors: Doors) -> None:
    doors.house.apply(pipeline(source(), deploying("Prod", bake="60s")))
    execution = doors.house.start()
    done = typed("extend", execution, "Prod", "2h", "-m", "odd")
    assert done.stdout == "Prod goes on until 2026-01-05T11:01:00.000Z\n", done.stderr
    assert "Prod bakes 120 min longer" in doors.house.texts("bake.extended")[0]
    wrong = typed("extend", execution, "Prod", "soon", "-m", "odd")
    assert wrong.returncode == Exit.USAGE and "'soon' is no duration" in wrong.stderr
    assert typed("extend", execution, "Prod", "2d", "-m", "odd").returncode == Exit.REFUSED


@pytest.mark.usefixtures("url")
def test_tokens_are_listed_and_revoked(doors: Doors) -> None:
    listed = typed("token", "list")
    assert "release-manager" in listed.stdout and "in force" in listed.stdout
    id_ = doors.client().get("/api/v1/tokens").json()[0]["id"]
    assert typed("token", "revoke", id_, "--yes").stdout == "revoked\n"
    assert any(
        id_ in line and "revoked" in line for line in typed("token", "list").stdout.splitlines()
    )


def test_open_prints_the_address_off_a_terminal(url: str) -> None:
    assert typed("open", "shop").stdout == f"{url}/console/pipelines/shop\n"
    id_ = "0" * 8 + "-0000-0000-0000-" + "0" * 12
    assert typed("open", id_).stdout == f"{url}/console/executions/{id_}\n"
    assert typed("open").stdout == f"{url}/console/\n"


@pytest.mark.usefixtures("url")
def test_a_shell_is_offered_what_there_is_and_nothing_where_nobody_answers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert completing.pipelines("sh") == ["shop"]
    assert completing.pipelines("x") == []
    (started,) = typed("start", "shop").stdout.split()
    assert completing.things("") == ["shop", started]
    monkeypatch.setitem(os.environ, "TOWPATH_URL", "http://127.0.0.1:1")
    assert completing.things("") == []


@pytest.mark.usefixtures("url")
def test_a_name_that_is_nearly_right_is_told() -> None:
    assert sentence(ApiError("there is no pipeline 'shpo'")).endswith("did you mean shop?")
    assert sentence(ApiError("there is no pipeline 'zzz'")) == "there is no pipeline 'zzz'"


def test_an_approval_is_of_what_was_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    doors = Doors(tmp_path)
    execution = doors.waits_for_approval()
    monkeypatch.setenv("TOWPATH_TOKEN", doors.tokens[Role.APPROVER])
    with served(doors.app) as url:
        monkeypatch.setenv("TOWPATH_URL", url)
        shown = typed("status", execution)
        (command,) = [one for one in shown.stdout.splitlines() if "towpath approve" in one]
        words = command.split()[1:-1]
        assert words[:-3] == ["approve", execution, "Gate", "--action", "Ask"]
        changes_in_prod(doors.house)
        stale = typed(*words, "well", "--yes")
        assert (stale.returncode, "has changed since" in stale.stderr) == (Exit.REFUSED, True)
        done = typed("approve", execution, "Gate", "-m", "well", "--yes")
    doors.house.settle()
    assert (done.returncode, doors.house.stages(execution)["Gate"]) == (0, "Succeeded")
    assert "evidence " in done.stderr and "goes on at once" in done.stderr
