"""The limits that Slack puts on a message, as its Web API enforces them.

https://docs.slack.dev/reference/block-kit/blocks and .../block-elements/button-element; the bound
of a whole message is not documented, it was measured: github.com/slackapi/bolt-js/issues/2509.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

MAX_BLOCKS = 50
MAX_BLOCKS_CHARACTERS = 13_200
MAX_TEXT = {"chat.postMessage": 40_000, "chat.update": 4_000}
MAX_METADATA = 8_000

MAX_VIEW_BLOCKS, MAX_VIEW_TITLE, MAX_PRIVATE = 100, 24, 3_000
TEXTS = {"header": 150, "section": 3_000}
LISTS = {"section": ("fields", 10), "actions": ("elements", 25), "context": ("elements", 10)}
EMULATED = {*TEXTS, *LISTS, "divider"}
MAX_FIELD, MAX_CONTEXT, MAX_ID = 2_000, 3_000, 255
BUTTON = {"value": 2_000, "action_id": MAX_ID, "url": 3_000}
MAX_BUTTON_TEXT = 75
CONFIRM = {"title": 100, "text": 300, "confirm": 30, "deny": 30}


class NotEmulatedError(Exception):
    """Slack may well take it; this fake cannot say, so it does not pretend."""


class Complaint(NamedTuple):
    """An answer with ok false: Slack's error code, and what it says about each fault."""

    error: str
    messages: tuple[str, ...] = ()


def complaint(method: str, arguments: Mapping[str, Any]) -> Complaint | None:
    """Say what Slack would find wrong with a message; None where nothing."""
    blocks, text = arguments.get("blocks") or [], arguments.get("text") or ""
    if not isinstance(blocks, list) or not all(isinstance(one, dict) for one in blocks):
        return Complaint("invalid_blocks_format")
    if not text and not blocks:
        return Complaint("no_text")
    if len(str(text)) > MAX_TEXT[method]:
        return Complaint("msg_too_long")
    if faults := tuple(_faults(blocks)):
        return Complaint("invalid_blocks", faults)
    if len(json.dumps(blocks, ensure_ascii=False, separators=(",", ":"))) > MAX_BLOCKS_CHARACTERS:
        return Complaint("msg_blocks_too_long")
    return _metadata_complaint(arguments.get("metadata"))


def view_complaint(view: Any) -> Complaint | None:
    """Say what Slack would find wrong with a modal; None where nothing."""
    if not isinstance(view, dict) or view.get("type") != "modal":
        return Complaint("invalid_arguments", ("view must be a modal",))
    return Complaint("invalid_arguments", found) if (found := tuple(_view_faults(view))) else None


def _view_faults(view: dict[str, Any]) -> Iterator[str]:
    blocks = view.get("blocks")
    if not isinstance(blocks, list) or not 1 <= len(blocks) <= MAX_VIEW_BLOCKS:
        yield f"a view has 1 to {MAX_VIEW_BLOCKS} blocks"
        return
    inputs = [block for block in blocks if block.get("type") == "input"]
    yield from _faults([block for block in blocks if block.get("type") != "input"])
    for block in inputs:
        yield from _text_faults(block.get("label"), MAX_FIELD)
        if _object(block.get("element")).get("type") != "plain_text_input":
            raise NotEmulatedError("the sandbox's Slack has only plain_text_input in inputs")
    if inputs and "submit" not in view:
        yield "a view with inputs needs submit"
    for name in ("title", *(one for one in ("submit", "close") if one in view)):
        yield from (f"{name}: {fault}" for fault in _text_faults(view.get(name), MAX_VIEW_TITLE))
    for name, most in {"private_metadata": MAX_PRIVATE, "callback_id": MAX_ID}.items():
        if len(str(view.get(name, ""))) > most:
            yield f"{name} must be less than {most + 1} characters"


def buttons(blocks: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every button of a message with the id of its block."""
    for block in blocks:
        if block["type"] == "actions":
            for element in block["elements"]:
                yield str(block.get("block_id", "")), element


def _metadata_complaint(metadata: Any) -> Complaint | None:
    if metadata is None:
        return None
    if not isinstance(metadata, dict) or not {"event_type", "event_payload"} <= metadata.keys():
        return Complaint("invalid_metadata_format")
    return Complaint("metadata_too_large") if len(json.dumps(metadata)) > MAX_METADATA else None


def _faults(blocks: list[dict[str, Any]]) -> Iterator[str]:
    if len(blocks) > MAX_BLOCKS:
        yield f"no more than {MAX_BLOCKS} items allowed [json-pointer:/blocks]"
    ids = Counter(str(block["block_id"]) for block in blocks if "block_id" in block)
    yield from (f"`block_id` {name} already exists" for name, times in ids.items() if times > 1)
    for number, block in enumerate(blocks):
        if str(block.get("type")) not in EMULATED:
            raise NotEmulatedError(
                f"the sandbox's Slack has no blocks of type {block.get('type')!r}"
            )
        yield from (f"{fault} [json-pointer:/blocks/{number}]" for fault in _block_faults(block))


def _block_faults(block: dict[str, Any]) -> Iterator[str]:
    kind = block["type"]
    if kind in TEXTS and ("text" in block or "fields" not in block):
        yield from _text_faults(block.get("text"), TEXTS[kind])
    if len(str(block.get("block_id", ""))) > MAX_ID:
        yield f"block_id must be less than {MAX_ID + 1} characters"
    if kind == "header" and _object(block.get("text")).get("type") != "plain_text":
        yield "a header must be plain_text"
    if kind in LISTS and (LISTS[kind][0] in block or kind != "section"):
        yield from _list_faults(kind, block.get(LISTS[kind][0]))


def _list_faults(kind: str, items: Any) -> Iterator[str]:
    name, most = LISTS[kind]
    if not isinstance(items, list) or not items:
        yield f"{name} must have at least one item"
        return
    if len(items) > most:
        yield f"no more than {most} items allowed in {name}"
    if kind == "actions":
        ids = Counter(str(_object(item).get("action_id")) for item in items)
        yield from (f"`action_id` {one} already exists" for one, times in ids.items() if times > 1)
    for item in items:
        if kind == "actions":
            yield from _button_faults(_object(item))
        else:
            yield from _text_faults(item, MAX_FIELD if kind == "section" else MAX_CONTEXT)


def _button_faults(button: dict[str, Any]) -> Iterator[str]:
    if button.get("type") != "button":
        raise NotEmulatedError(
            f"the sandbox's Slack has no elements of type {button.get('type')!r}"
        )
    yield from _text_faults(button.get("text"), MAX_BUTTON_TEXT)
    for name, most in BUTTON.items():
        if len(str(button.get(name, ""))) > most:
            yield f"{name} must be less than {most + 1} characters"
    if str(button.get("style", "primary")) not in {"primary", "danger"}:
        yield "style must be primary or danger"
    if "confirm" in button:
        for name, most in CONFIRM.items():
            yield from _text_faults(_object(button["confirm"]).get(name), most)


def _text_faults(text: Any, most: int) -> Iterator[str]:
    if str(_object(text).get("type")) not in {"plain_text", "mrkdwn"}:
        yield "must be a text object"
    elif not 1 <= len(str(text.get("text", ""))) <= most:
        yield f"must be more than 0 and less than {most + 1} characters"


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
