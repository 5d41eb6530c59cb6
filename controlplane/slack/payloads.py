"""What Slack sends, read strictly: a press of one button, a submitted modal, a command.

https://docs.slack.dev/reference/interaction-payloads/block_actions-payload
https://docs.slack.dev/reference/interaction-payloads/view-interactions-payload
https://docs.slack.dev/interactivity/implementing-slash-commands
"""

import hashlib
from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

MAX_VALUE, MAX_METADATA = 2_000, 3_000

Kind = TypeVar("Kind", bound=BaseModel)


class UnreadableError(ValueError):
    """It is not what it should be; the message names the place, for the log."""


class Asked(BaseModel):
    """What somebody asks for: a button's signed value, or a command's text; and where he is answered.

    channel: where he stands. message_ts: the message of the button; "" of a command. trigger_id: opens one
    modal within three seconds.
    """

    model_config = ConfigDict(frozen=True)

    user: str
    text: str
    channel: str = ""
    message_ts: str = ""
    response_url: str = ""
    trigger_id: str = ""


class Submitted(BaseModel):
    """A modal that was sent off. metadata: what we put in when it was opened."""

    model_config = ConfigDict(frozen=True)

    user: str
    view: str
    metadata: str
    comment: str


def press(payload: Mapping[str, Any]) -> tuple[str, Asked]:
    """The key of a press, and what it asks for. UnreadableError where it is not one press of one button."""
    read = _read(_Press, payload)
    [action] = read.actions
    said = (read.container.channel_id, read.container.message_ts, read.user.id)
    key = _key("press", *said, action.action_id, action.action_ts, action.value)
    return key, Asked(
        user=read.user.id,
        text=action.value,
        channel=read.container.channel_id,
        message_ts=read.container.message_ts,
        response_url=read.response_url,
        trigger_id=read.trigger_id,
    )


def command(payload: Mapping[str, Any]) -> tuple[str, Asked]:
    """The key of a command, and what it asks for. UnreadableError where it is none."""
    read = _read(_Command, payload)
    asked = Asked(
        user=read.user_id,
        text=read.text,
        channel=read.channel_id,
        response_url=read.response_url,
        trigger_id=read.trigger_id,
    )
    return _key("command", read.user_id, read.trigger_id, read.text), asked


def submitted(payload: Mapping[str, Any]) -> Submitted:
    """Read a modal that was sent off. UnreadableError where it is none of ours."""
    read = _read(_Submission, payload)
    field = read.view.state.values.get("comment", {}).get("comment")
    comment = (field.value or "") if field is not None else ""
    return Submitted(
        user=read.user.id, view=read.view.id, metadata=read.view.private_metadata, comment=comment
    )


def _key(kind: str, *parts: str) -> str:
    return f"{kind}:{hashlib.sha256(repr(parts).encode('utf-8', 'replace')).hexdigest()}"


def _read(kind: type[Kind], payload: Mapping[str, Any]) -> Kind:
    try:
        return kind.model_validate(payload)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise UnreadableError(f"{where}: {first['msg']}") from None


_Id = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9]{0,30}$")]
_Ts = Annotated[str, Field(pattern=r"^[0-9]{1,12}\.[0-9]{1,9}$")]
_Short = Annotated[str, Field(max_length=255)]
_Url = Annotated[str, Field(max_length=1_000)]


class _User(BaseModel):
    id: _Id


class _Container(BaseModel):
    type: Literal["message"]
    channel_id: _Id
    message_ts: _Ts


class _Action(BaseModel):
    type: Literal["button"]
    action_id: Annotated[str, Field(min_length=1, max_length=255)]
    value: Annotated[str, Field(max_length=MAX_VALUE)] = ""
    action_ts: _Ts


class _Press(BaseModel):
    type: Literal["block_actions"]
    user: _User
    container: _Container
    actions: Annotated[list[_Action], Field(min_length=1, max_length=1)]
    response_url: _Url = ""
    trigger_id: _Short = ""


class _Command(BaseModel):
    command: _Short
    text: Annotated[str, Field(max_length=MAX_METADATA)] = ""
    user_id: _Id
    channel_id: _Id
    response_url: _Url = ""
    trigger_id: Annotated[str, Field(min_length=1, max_length=255)]


class _Field(BaseModel):
    value: Annotated[str, Field(max_length=MAX_METADATA)] | None = None


class _State(BaseModel):
    values: dict[str, dict[str, _Field]]


class _View(BaseModel):
    id: _Id
    callback_id: Literal["decide"]
    private_metadata: Annotated[str, Field(max_length=MAX_METADATA)]
    state: _State


class _Submission(BaseModel):
    type: Literal["view_submission"]
    user: _User
    view: _View
