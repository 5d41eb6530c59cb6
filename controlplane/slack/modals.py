"""The window that takes a decision and its comment, within the limits of views.

https://docs.slack.dev/reference/views/modal-views
"""

from typing import Any

from slack_sdk.models.blocks import (
    Block,
    InputBlock,
    PlainTextInputElement,
    PlainTextObject,
    SectionBlock,
)
from slack_sdk.models.views import View

from controlplane.engine.approval_evidence import Lines
from controlplane.notify.base import Note
from controlplane.notify.buttons import Press
from controlplane.notify.message import cut

MAX_COMMENT = 500
MAX_TEXT = 2_900
FINDINGS, LINE = 5, 200
"""So many new findings are shown, by so many characters each."""
HINTS = {
    "approve": "It is kept with the decision.",
    "reject": "Required: whoever started the release reads it.",
}


def asking(asked: Press, metadata: str, about: str) -> dict[str, Any]:
    """The window as it opens. metadata: the button's value, signed. about: what is decided."""
    rejects = asked.action == "reject"
    comment = InputBlock(
        block_id="comment",
        label=PlainTextObject(text="Comment"),
        hint=PlainTextObject(text=HINTS[asked.action]),
        optional=not rejects,
        element=PlainTextInputElement(action_id="comment", multiline=True, max_length=MAX_COMMENT),
    )
    view = View(
        type="modal",
        callback_id="decide",
        title="Reject" if rejects else "Approve",
        submit="Reject" if rejects else "Approve",
        close="Cancel",
        private_metadata=metadata,
        blocks=[_text(about), comment],
    )
    return view.to_dict()


def closed(reason: str) -> dict[str, Any]:
    """The window where there is nothing to decide any more."""
    view = View(
        type="modal",
        callback_id="decide",
        title="Nothing to do",
        close="Close",
        blocks=[_text(reason)],
    )
    return view.to_dict()


def evidence(note: Note, asked: Press, found: Lines) -> str:
    """What is known of the execution, as plain text: nothing in it is markup."""
    rest = len(found.told) - FINDINGS + found.more
    said = [
        f"{note.pipeline}, stage {asked.stage}",
        f"Digest {note.digest or 'not known yet'}",
        *([f"Started by {note.started_by}"] if note.started_by else []),
        f"Execution {note.execution}: {note.status}",
        *note.votes,
        "",
        *(f"{one.name}: {one.status}{': ' * bool(one.detail)}{one.detail}" for one in note.lines),
    ]
    if found.told:
        said += ["", "New findings:", *(cut(one, LINE) for one in found.told[:FINDINGS])]
        said += [f"and {rest} more: see the page of the approval"] if rest > 0 else []
    if note.kind == "approval.needed" and note.text:
        said += ["", note.text]
    return "\n".join(said)


def _text(text: str) -> Block:
    return SectionBlock(text=PlainTextObject(text=cut(text, MAX_TEXT), emoji=False))
