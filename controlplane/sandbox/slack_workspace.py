"""The messages of the sandbox's Slack, and the methods of the Web API that change them."""

import itertools
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from controlplane.clock import Clock
from controlplane.sandbox.slack_http import ACTIONS
from controlplane.sandbox.slack_rules import Complaint, complaint, view_complaint
from controlplane.sandbox.slack_signing import TOKEN

MAX_MESSAGES = 2_000
TRIGGER_LASTS = 3.0
MAX_ANSWERS, ANSWERS_WITHIN = 5, 1_800.0
"""Uses of an address for answers, and seconds."""

Arguments = Mapping[str, Any]
Result = dict[str, Any] | Complaint


class Workspace:
    """Channels and their messages. Holds at most MAX_MESSAGES; the oldest go first."""

    def __init__(self, channels: Mapping[str, str], now: Clock) -> None:
        """Start with channels (id to name) and no message."""
        self.channels = dict(channels)
        self.messages: OrderedDict[str, dict[str, Any]] = OrderedDict()
        self._now = now
        self._numbers = itertools.count(1)
        self._methods = {
            "auth.test": self._test,
            "chat.postMessage": self._post,
            "chat.update": self._update,
            "chat.delete": self._delete,
            "chat.postEphemeral": self._whisper,
            "views.open": self._open,
            "views.update": self._replace,
        }
        self.whispers: list[dict[str, str]] = []
        self.views: dict[str, dict[str, Any]] = {}
        self._triggers: dict[str, float] = {}
        self._hooks: dict[str, tuple[str, str, float, int]] = {}

    def call(self, method: str, token: str, arguments: Arguments) -> Result:
        """Do what a method of the Web API asks, and answer what Slack would say."""
        if token != TOKEN:
            return Complaint("invalid_auth" if token else "not_authed")
        if method not in self._methods:
            return Complaint("unknown_method")
        return self._methods[method](arguments)

    def trigger(self) -> str:
        """A trigger for one modal within three seconds."""
        made = f"{next(self._numbers)}.1.sandbox"
        self._triggers[made] = self._now().timestamp()
        return made

    def hook(self, user: str, channel: str) -> str:
        """The path of an address for answers to a user: five within half an hour."""
        path = f"{ACTIONS}{next(self._numbers)}"
        self._hooks[path] = user, channel, self._now().timestamp(), 0
        return path

    def respond(self, path: str, arguments: Arguments) -> int:
        """Take an answer; the status that Slack answers with."""
        user, channel, made, uses = self._hooks.get(path, ("", "", 0.0, MAX_ANSWERS))
        if uses >= MAX_ANSWERS or self._now().timestamp() - made > ANSWERS_WITHIN:
            return 404
        self._hooks[path] = user, channel, made, uses + 1
        said = str(arguments.get("text") or "")
        self.whispers.append({"user": user, "channel": channel, "text": said})
        return 200

    def _whisper(self, arguments: Arguments) -> Result:
        if str(arguments.get("channel")) not in self.channels:
            return Complaint("channel_not_found")
        if found := complaint("chat.postMessage", arguments):
            return found
        said = {name: str(arguments.get(name, "")) for name in ("user", "channel", "text")}
        self.whispers.append(said)
        return {"message_ts": f"{int(self._now().timestamp())}.{next(self._numbers):06d}"}

    def _open(self, arguments: Arguments) -> Result:
        trigger = str(arguments.get("trigger_id", ""))
        made = self._triggers.get(trigger)
        if made is None:
            return Complaint("invalid_trigger_id")
        if made < 0:
            return Complaint("exchanged_trigger_id")
        if self._now().timestamp() - made > TRIGGER_LASTS:
            return Complaint("expired_trigger_id")
        if found := view_complaint(arguments.get("view")):
            return found
        self._triggers[trigger] = -1.0
        view = {**arguments["view"], "id": f"V{next(self._numbers)}"}
        self.views[view["id"]] = view
        return {"view": view}

    def _replace(self, arguments: Arguments) -> Result:
        known = self.views.get(str(arguments.get("view_id")))
        if known is None:
            return Complaint("not_found")
        if found := view_complaint(arguments.get("view")):
            return found
        self.views[known["id"]] = view = {**arguments["view"], "id": known["id"]}
        return {"view": view}

    def _test(self, _: Arguments) -> Result:
        return {"team": "sandbox", "team_id": "T1", "user": "towpath", "user_id": "UBOT"}

    def _post(self, arguments: Arguments) -> Result:
        channel = self._channel(str(arguments.get("channel", "")))
        if channel is None:
            return Complaint("channel_not_found")
        if found := complaint("chat.postMessage", arguments):
            return found
        ts = f"{int(self._now().timestamp())}.{next(self._numbers):06d}"
        self.messages[ts] = {"channel": channel, "ts": ts, "edits": 0} | _content(arguments, {})
        if len(self.messages) > MAX_MESSAGES:
            self.messages.popitem(last=False)
        return {"channel": channel, "ts": ts, "message": self.messages[ts]}

    def _update(self, arguments: Arguments) -> Result:
        found = self._missing(arguments) or complaint("chat.update", arguments)
        if found:
            return found
        old = self.messages[arguments["ts"]]
        new = old | _content(arguments, old) | {"edits": old["edits"] + 1}
        self.messages[old["ts"]] = new
        return {"channel": old["channel"], "ts": old["ts"], "text": new["text"], "message": new}

    def _delete(self, arguments: Arguments) -> Result:
        if found := self._missing(arguments):
            return found
        message = self.messages.pop(arguments["ts"])
        return {"channel": message["channel"], "ts": message["ts"]}

    def _channel(self, asked: str) -> str | None:
        # chat.postMessage takes an id or a name; the other methods take the id only.
        if asked in self.channels:
            return asked
        name = asked.removeprefix("#")
        return next((one for one, its in self.channels.items() if its == name), None)

    def _missing(self, arguments: Arguments) -> Complaint | None:
        if str(arguments.get("channel")) not in self.channels:
            return Complaint("channel_not_found")
        message = self.messages.get(str(arguments.get("ts")))
        if message is None or message["channel"] != arguments["channel"]:
            return Complaint("message_not_found")
        return None


def _content(arguments: Arguments, old: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "text": str(arguments.get("text") or ""),
        "blocks": arguments.get("blocks") or [],
        "thread_ts": old.get("thread_ts") or str(arguments.get("thread_ts") or ""),
        "reply_broadcast": bool(arguments.get("reply_broadcast")),
        "metadata": arguments.get("metadata") or old.get("metadata") or {},
    }
