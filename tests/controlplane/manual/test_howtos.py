"""The `towpath` commands of the how-tos and the runbooks are typed where they belong, and do their work."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import pytest

from controlplane.server import create_app
from controlplane.settings import Settings
from tests.controlplane.manual import approving, story
from tests.controlplane.manual import situations as s
from tests.controlplane.manual.situations import Situation
from tests.support.book import BOOK, commands, settings
from tests.support.doors import SECRET, Doors
from tests.support.typing_in import Reader


@dataclass(frozen=True)
class Line:
    """What a line of a page must answer: all of `says`, and the exit status that is documented.

    afresh: it is another way out than the line before, so what was done so far has not happened.
    """

    says: tuple[str, ...]
    status: int = 0
    afresh: bool = False


def says(*words: str, status: int = 0, afresh: bool = False) -> Line:
    """One line."""
    return Line(words, status, afresh)


class Page(NamedTuple):
    """Where a page's commands are typed, and what each of them answers, in the page's order."""

    situation: Callable[[Path], AbstractContextManager[Situation]]
    lines: Sequence[Line]


README = "../README.md"
PAGES: Mapping[str, Page] = {
    README: Page(
        story.told,
        [
            says("shop: 4 stages", "Test: Promote, Deploy; bakes 10 s"),
            says("shop, 4 stages, is valid"),
            says("shop: version 1"),
            says("MISSING", "The role lacks codedeploy:StopDeployment", status=1),
            says("approval.needed", "Approve waits for a person: towpath approve", status=4),
            says("The execution goes on at once", "Approved"),
            says("passed"),
            says("Prod goes on until"),
            says("held"),
            says("roll Prod of shop back", "rolling back what"),
            says("Prod was rolled back to sha256:aaaaaaaaaaaa", "a person asked to roll back"),
            says("state      done", "detected   after", "restored   after"),
            says("to lift it: towpath unfreeze 1 -m WHY"),
        ],
    ),
    "access.md": Page(
        s.released,
        [
            says("tp_"),
            says("tp_"),
            says("tp_"),
            says(
                "developer on shop-*/Dev, developer on shop-*/Test",
                "approver on */* in dev, approver on */* in test*",
            ),
        ],
    ),
    "approvals.md": Page(
        approving.asked,
        [
            says("Approved: Prod of", "? [y/N]: y", "Approved Prod of"),
            says("The execution goes on at once", "Approved Prod of", afresh=True),
        ],
    ),
    "audit.md": Page(
        s.audited,
        [
            says("pipeline.applied", "execution.started", "anne: a fair"),
            says(),
            says("3 entries, the chain is whole", "3:"),
            says("3 entries, the chain is whole", "3:"),
            says("3 entries, the chain is whole"),
        ],
    ),
    "codepipeline-api.md": Page(
        s.released,
        [
            says("AWS_ACCESS_KEY_ID=AKTP", "AWS_SECRET_ACCESS_KEY="),
            says("AWS_ACCESS_KEY_ID=AKTP", "AWS_SECRET_ACCESS_KEY="),
        ],
    ),
    "gates.md": Page(
        s.frozen,
        [
            says("to lift it: towpath unfreeze 2 -m WHY"),
            says("to lift it: towpath unfreeze 3 -m WHY"),
            says("2026-12-27T07:00:00.000Z", "the fair", "incident 4711"),
            says("lift freeze 3, and let in who waits for it? [y/N]: y", "lifted"),
        ],
    ),
    "import.md": Page(
        s.importing,
        [
            says(
                "old-shop, 1 of 3", "template.yaml: shop", "waits for Env", "2 pipelines imported"
            ),
            says("2 actions act in account dev", "account: dev", "provider: CodeDeploy"),
            says("2 actions act in account prod"),
            says("--- stored/shop", "+          DeploymentGroupName: shop-prod", status=1),
            says("shop: version 2"),
            says("AWS::CodePipeline::Pipeline", '"DeploymentGroupName": "shop-prod"'),
        ],
    ),
    "migrate.md": Page(
        s.migrating,
        [
            says("shop: would import", "2 actions act in account prod", "2 would import"),
            says("shop: imported, version 1", "closed: the way into Gate, Prod", "2 imported"),
            says("Prod", "entry", "the old one", "Towpath", "the same"),
            says("open"),
        ],
    ),
    "notifications.md": Page(
        s.topics,
        [
            says("topic arn:aws:sns:eu-west-1:", ":towpath-shop", "would make"),
            says(":towpath-shop  made", "press Confirm subscription"),
            says(":towpath-shop  there", "sms to +4915112345678"),
            says("to towpath-shop: whoever confirmed is told"),
        ],
    ),
    "runbooks/account-silent.md": Page(
        s.unreached,
        [says("MISSING", "prod cannot be reached for sts", status=1), says("held")],
    ),
    "runbooks/after-a-rollback.md": Page(
        s.went_bad,
        [
            says("Prod was rolled back to sha256:aaaaaaaaaaaa", "p95 812 ms", "quarantined"),
            says("open"),
            says("sha256:bbbbbbbbbbbb", "p95 812 ms", afresh=True),
            says("lifted"),
            says("open"),
        ],
    ),
    "runbooks/drill-failed.md": Page(
        s.badly_drilled,
        [
            says("failed", "the release did not come to its bake: Test: no disk"),
            says("Test was rolled back", "drill failed"),
            says("MISSING", "The role lacks codedeploy:StopDeployment", status=1),
            says("state      done", "detected   after", "restored   after"),
        ],
    ),
    "runbooks/engine-stalled.md": Page(
        s.half_upgraded, [says("MISSING", "r9999, newer than this version's", status=1)]
    ),
    "runbooks/monitoring-silent.md": Page(
        s.silent,
        [
            says("Baking", "held: Alarm: NO_DATA"),
            says("It bakes in Prod, held: Alarm: NO_DATA"),
            says("passed"),
            says("rolling back", afresh=True),
        ],
    ),
    "runbooks/rollback-failed.md": Page(
        s.stuck,
        [
            says("ROLLBACK  Failed", "no disk"),
            says("the rollback failed (Prod: no disk); a person was paged"),
            says("rolling back what"),
            says("rolling back what", afresh=True),
        ],
    ),
    "runbooks/tells-late.md": Page(
        s.released,
        [says("shop", "Prod: Succeeded"), says("stage.baking", "execution.succeeded")],
    ),
    "runbooks/towpath-gone.md": Page(
        s.released, [says("installation:database", "answers"), says("STANDARD  Succeeded")]
    ),
}
GO_ON = frozenset({"serve", "worker"})
"""Commands that do not end; real processes of them run in tests/journeys."""
TYPED_ELSEWHERE = frozenset({"tutorial/by-hand.md", "tutorial/first-account.md"})
"""tests/journeys/test_tutorial.py types them, in real shells."""


class Reading:
    """One reader with one page, in its situation, which may begin afresh."""

    def __init__(self, page: Page, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._page, self._folder, self._monkeypatch = page, folder, monkeypatch
        self._begun = 0

    def begin(self, stack: ExitStack) -> tuple[Reader, Situation]:
        """Another situation of the kind, and a reader who knows nothing yet."""
        self._begun += 1
        folder = self._folder / str(self._begun)
        folder.mkdir()
        now = stack.enter_context(self._page.situation(folder))
        reader = Reader(folder, now.exported(), self._monkeypatch)
        reader.asks(now.doors.app, now.pause)
        return reader, now


@pytest.mark.parametrize("name", PAGES)
def test_a_pages_commands_do_what_they_are_for(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page, typed = PAGES[name], [line for line in commands(name) if line.split()[1] not in GO_ON]
    reading = Reading(page, tmp_path, monkeypatch)
    with ExitStack() as stack:
        reader, now = reading.begin(stack)
        for line, wanted in zip(typed, page.lines, strict=True):
            if wanted.afresh:
                reader, now = reading.begin(stack)
            said = reader.types(now.put_in(line))
            now.then(line)
            assert said.status == wanted.status, f"{line}: {said.text}"
            missing = [word for word in wanted.says if word not in said.text]
            assert not missing, f"{line}: {said.text}"


def test_no_page_has_a_command_that_nobody_types() -> None:
    every = [README, *(str(page.relative_to(BOOK)) for page in BOOK.rglob("*.md"))]
    assert {name for name in every if commands(name)} == {*PAGES, *TYPED_ELSEWHERE}


@pytest.mark.parametrize("name", ["access.md", "approvals.md", "triggers.md"])
def test_what_a_page_sets_is_taken(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = settings(name)
    assert given
    monkeypatch.setenv("TOWPATH_SECRET", SECRET)
    for variable, value in given.items():
        monkeypatch.setenv(variable, value)
    read = Settings()
    create_app(replace(Doors(tmp_path).parts(), settings=read))
    known = {f"TOWPATH_{field.upper()}" for field in Settings.model_fields}
    assert set(given) - known <= {"TOWPATH_OIDC_SECRET"}
