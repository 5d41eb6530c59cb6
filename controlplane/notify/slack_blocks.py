"""How an execution looks in Slack: Block Kit within its limits, and outside text only ever as text.

https://docs.slack.dev/reference/block-kit/blocks
https://docs.slack.dev/messaging/formatting-message-text#escaping
"""

import json
from collections.abc import Callable
from typing import Any

from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.blocks import (
    ActionsBlock,
    Block,
    ButtonElement,
    ConfirmObject,
    ContextBlock,
    HeaderBlock,
    MarkdownTextObject,
    PlainTextObject,
    SectionBlock,
)

from controlplane.notify.base import Button, Note, StageLine
from controlplane.notify.message import cut, headline, units
from controlplane.notify.slack_web import escaped as as_text

MAX_BLOCKS_BYTES = 12_000
"""Of all blocks as ASCII JSON. Slack refuses about 13,200 characters without documenting it
(https://github.com/slackapi/bolt-js/issues/2509); and as ASCII a press, which carries the message
back URL-encoded, stays under the 64 KiB that we read of a request."""

MAX_PROSE = 600
MAX_BUTTONS = 25
"""Of one block of actions: https://docs.slack.dev/reference/block-kit/blocks/actions-block."""

ROOMS = (2_800, 1_000, 300, 60)
"""Tried in turn for each free text, until all of it fits."""

MARKERS = {"page": "🚨 ", "warning": "⚠️ "}
MARKS = {
    "Succeeded": "✅",
    "Failed": "❌",
    "InProgress": "⏳",
    "Baking": "🔍",
    "Stopping": "✋",
    "Stopped": "✋",
    "Superseded": "⏭️",
    "Cancelled": "⏭️",
}


def first(note: Note, mention: str) -> list[dict[str, Any]]:
    """How the execution stands, with all of this event: it has no thread yet."""
    return _fitted(lambda room: [*_head(note), *_event(note, mention, room), *_foot(note, room)])


def edited(note: Note) -> list[dict[str, Any]]:
    """How the execution stands now. An edit calls nobody: that is for the reply."""
    prose = note.text.partition("\n\n")[0].strip()
    shown = [SectionBlock(text=_plain(escaped(prose, MAX_PROSE)))] if prose else []
    return _fitted(lambda room: [*_head(note), *shown, *_foot(note, room)])


def details(note: Note, mention: str) -> list[dict[str, Any]]:
    """Tell this event: its title, its text, and the end of the log where the text has one."""
    title = SectionBlock(text=_plain(_title(note, 500)))
    return _fitted(lambda room: [title, *_event(note, mention, room), _context(note)])


def fallback(note: Note) -> str:
    """One line for notifications and screen readers."""
    return _title(note, 300)


def escaped(text: str, most: int, *, tail: bool = False) -> str:
    """Text that shows as it is, cut to so many units with its escapes counted."""
    kept = cut(text, most, tail=tail)
    while (over := units(as_text(kept)) - most) > 0:
        kept = cut(kept, units(kept) - max(1, over // 5), tail=tail)
    return as_text(kept)


def _fitted(build: Callable[[int], list[Block]]) -> list[dict[str, Any]]:
    for room in ROOMS:
        blocks = [block.to_dict() for block in build(room)]  # to_dict validates, in the depth too
        if len(json.dumps(blocks)) <= MAX_BLOCKS_BYTES:
            return blocks
    raise SlackObjectFormationError(f"the buttons alone are over {MAX_BLOCKS_BYTES} characters")


def _title(note: Note, most: int) -> str:
    return MARKERS.get(note.severity, "") + escaped(headline(note), most)


def _head(note: Note) -> list[Block]:
    fields = {
        "Pipeline": note.pipeline,
        "Digest": note.digest.removeprefix("sha256:")[:12],
        "Status": note.status,
        "Stage": note.stage,
    }
    return [
        HeaderBlock(text=PlainTextObject(text=_title(note, 140))),
        SectionBlock(fields=[_field(name, value) for name, value in fields.items()]),
    ]


def _event(note: Note, mention: str, room: int) -> list[Block]:
    """Show the text; what follows its first empty line is a log, shown from its end."""
    prose, _, log = (part.strip() for part in note.text.partition("\n\n"))
    blocks: list[Block] = []
    if mention:
        blocks.append(SectionBlock(text=_marked(mention)))
    if prose:
        blocks.append(SectionBlock(text=_plain(escaped(prose, room))))
    if log:
        tail = escaped(log.replace("```", "'''"), room, tail=True)
        blocks.append(SectionBlock(text=_marked(f"```\n{tail}\n```")))
    return blocks


def _foot(note: Note, room: int) -> list[Block]:
    blocks: list[Block] = []
    if note.lines:
        blocks.append(SectionBlock(text=_marked(_lines(note.lines, room))))
    if note.votes:
        blocks.append(
            SectionBlock(text=_plain(escaped("\n".join(note.votes), min(room, MAX_PROSE))))
        )
    if note.buttons:
        blocks.append(ActionsBlock(elements=_buttons(note.buttons)))
    return [*blocks, _context(note)]


def _lines(lines: tuple[StageLine, ...], room: int) -> str:
    """One line a stage; where that is too long, without the details, or only the first ones."""
    text = "\n".join(_line(line, details=True) for line in lines)
    for most in (len(lines), 10, 1):
        if units(text) <= room:
            break
        rest = [f"… and {len(lines) - most} more"] if most < len(lines) else []
        text = "\n".join([*(_line(line, details=False) for line in lines[:most]), *rest])
    return text


def _line(line: StageLine, *, details: bool) -> str:
    detail = f": {escaped(line.detail, 120)}" if details and line.detail else ""
    mark = MARKS.get(line.status, "•")
    return f"{mark} *{escaped(line.name, 100)}* {escaped(line.status, 40)}{detail}"


def _buttons(buttons: tuple[Button, ...]) -> list[ButtonElement]:
    made: list[ButtonElement] = []
    for button in buttons[:MAX_BUTTONS]:
        # Slack wants action_id unique in its block; what a press asks for is in the signed value.
        same = sum(str(one.action_id).partition(".")[0] == button.action for one in made)
        element = ButtonElement(
            text=PlainTextObject(text=escaped(button.text, 75)),
            action_id=f"{button.action}.{same + 1}" if same else button.action,
            value=button.value,
            style=button.style or None,
            confirm=_confirm(button) if button.confirm else None,
        )
        made.append(element)
    return made


def _confirm(button: Button) -> ConfirmObject:
    return ConfirmObject(
        title=PlainTextObject(text="Are you sure?"),
        text=_plain(escaped(button.confirm, 300)),
        confirm=PlainTextObject(text=escaped(button.text, 30)),
        deny=PlainTextObject(text="Cancel"),
    )


def _context(note: Note) -> ContextBlock:
    fallback_time = f"{note.at:%Y-%m-%d %H:%M:%S %Z}"
    at = f"<!date^{int(note.at.timestamp())}^{{date_short_pretty}} {{time_secs}}|{fallback_time}>"
    parts = [at, escaped(note.kind, 100), f"execution {escaped(note.execution, 100)}"]
    if note.url.startswith(("https://", "http://")) and units(note.url) <= 1_000:  # noqa: PLR2004
        parts.append(f"<{as_text(note.url).replace('|', '%7C')}|Open in the console>")
    return ContextBlock(elements=[_marked(" · ".join(parts))])


def _field(name: str, value: str) -> MarkdownTextObject:
    return _marked(f"*{name}*\n{escaped(value, 300) or '-'}")


def _marked(text: str) -> MarkdownTextObject:
    return MarkdownTextObject(text=text, verbatim=True)  # verbatim: no guessing at links and names


def _plain(text: str) -> PlainTextObject:
    return PlainTextObject(text=text, emoji=False)
