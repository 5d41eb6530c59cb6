"""A note to send, for the tests of every channel."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from controlplane.notify.base import Button, Note, StageLine, StateChange
from controlplane.notify.buttons import sign
from controlplane.notify.message import cut

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
SECRET = "button-secret"

NOTE = Note(
    id="evt_1",
    kind="stage.failed",
    at=NOW,
    pipeline="shop",
    execution="ex-42",
    stage="prod",
    severity="warning",
    title="prod failed",
    text="The alarm shop-prod-errors is in ALARM.\n\nline 1\nline 2",
    digest="sha256:0123456789abcdef",
    status="Failed",
    url="https://deploy.example/p/shop/ex-42",
    lines=(StageLine("dev", "Succeeded"), StageLine("prod", "Failed", "5 of 5 breaching")),
    changes=(
        StateChange(
            "CodePipeline Stage Execution State Change",
            {
                "pipeline": "shop",
                "execution-id": "ex-42",
                "stage": "prod failed",
                "text": "The alarm shop-prod-errors is in ALARM.",
            },
        ),
    ),
    buttons=(
        Button("approve", "Approve", sign("approve", "ex-42", "prod", "Sign-off", "t1", SECRET)),
        Button("rollback", "Roll back", "v", style="danger", confirm="Roll prod back?"),
    ),
)


def note(**changes: Any) -> Note:
    """The note, with changes."""
    return replace(NOTE, **changes)


def huge() -> Note:
    """A note with 100 kB of text and markup in everything that comes from outside."""
    markup = "<!channel> <https://evil.example|click> & ```*x*``` \ud83d \U0001f4a5 \x00"
    text = markup * (100_000 // len(markup))
    lines = tuple(StageLine(f"{markup}{number}", text[:900], text) for number in range(60))
    changes = tuple(replace(one, detail={"summary": cut(text, 2_000)}) for one in NOTE.changes)
    return note(
        title=text,
        text=f"{text}\n\n{text}",
        pipeline=text,
        stage=text,
        lines=lines,
        changes=changes,
    )
