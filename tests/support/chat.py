"""An installation whose pipeline is told of in the sandbox's Slack, and whose door hears what comes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from controlplane.declarations.model import Notification
from controlplane.engine.delivery import Delivery
from controlplane.engine.notes import NoteMaker
from controlplane.notify.slack import People, SlackNotifier
from controlplane.notify.slack_web import Web
from controlplane.sandbox.slack import serve_slack
from controlplane.sandbox.slack_rules import buttons
from controlplane.sandbox.slack_signing import TOKEN, signed
from controlplane.settings import SlackPerson
from controlplane.slack.desk import Desk, Door
from controlplane.slack.inbox import Inbox
from tests.support.doors import SECRET, SLACK_SECRET, Doors, asks_a_person
from tests.support.house import action, deploying, pipeline, source

PEOPLE: Mapping[str, Any] = {
    "U1": {"name": "bo", "role": "release-manager"},
    "U2": {"name": "vi", "role": "viewer"},
    "U3": {"name": "anne", "role": "approver"},
    "U4": {"name": "cy", "role": "release-manager", "pipelines": "other"},
}
PATH = "/slack/interactivity"
TOLD = Notification(provider="Slack", configuration={"Channel": "#releases"})


class Chat:
    """Press, submit and command as people do; `work` does what was asked, `tell` sends what is due."""

    def __init__(self, folder: Path, *, durable: bool = False) -> None:
        self.doors = Doors(folder, durable=durable, slack_people=dict(PEOPLE))
        self.house = self.doors.house
        self.fake = serve_slack(now=self.house.clock)
        notes = NoteMaker(lambda name, _: f"http://towpath/{name}", SECRET, self.house.structures)
        people = People(("U1", "U3"), {"bo": "U1", "anne": "U3"})
        notifier = SlackNotifier(TOKEN, self.fake.url, people)
        self.door = Door(
            self.house.database,
            self.house.commands,
            self.house.structures,
            {user: SlackPerson.model_validate(one) for user, one in PEOPLE.items()},
            SECRET,
            self.house._now,
        )
        self.desk = Desk(self.door, notes, notifier, Web(TOKEN, self.fake.url))
        self.inbox = Inbox(self.desk)
        self.delivery = Delivery(self.house.database, {"Slack": notifier}, notes, self.house._now)

    def release(self, *stages: dict[str, Any]) -> str:
        """An execution of `shop` with these stages after its source, told of in Slack; its id."""
        declared = pipeline(source(), *stages)
        self.house.apply(declared.model_copy(update={"notifications": (TOLD,)}))
        execution = self.house.start()
        self.tell()
        return execution

    def asks(self) -> str:
        """A release that waits for an approval in Gate."""
        asks_a_person(self.house)
        gate = {"name": "Gate", "actions": [action("Ask", "Manual")]}
        return self.release(gate, deploying("Prod"))

    def tell(self) -> None:
        """Send all that is due."""
        while self.delivery.turn():
            pass

    def work(self) -> None:
        """Do all that was asked."""
        while self.inbox.turn():
            pass

    def post(self, payload: Mapping[str, Any], secret: str = SLACK_SECRET) -> httpx.Response:
        """As Slack posts it."""
        _, body = self.fake.sign(payload)
        headers = signed(body, self.house.clock(), secret)
        return self.doors.client(None).post(PATH, content=body, headers=headers)

    def shown(self) -> list[str]:
        """The buttons of the release's message."""
        return [one["action_id"] for _, one in buttons(self.message()["blocks"])]

    def message(self) -> dict[str, Any]:
        """The release's message."""
        return next(one for one in self.fake.messages() if not one["thread_ts"])

    def pressed(self, button: str, user: str = "U1") -> dict[str, Any]:
        """What Slack tells of a press of a button of it."""
        return self.fake.pressed(self.message()["ts"], button, user)

    def press(self, button: str, user: str = "U1") -> None:
        """Press and have it done."""
        assert self.post(self.pressed(button, user)).status_code == 200
        self.work()

    def submit(self, comment: str, user: str = "U1") -> str:
        """Send the newest window off; what it shows as refused, "" for nothing."""
        view = list(self.fake.views())[-1]
        answer = self.post(self.fake.submission(view, comment, user))
        assert answer.status_code == 200
        return answer.json()["errors"]["comment"] if answer.content else ""

    def say(self, text: str, user: str = "U1") -> str:
        """`/towpath text`: the answer."""
        assert self.post(self.fake.command(text, user)).content == b""
        self.work()
        return self.fake.whispers()[-1]["text"]

    def told(self) -> str:
        """What a single person was told last; "" for nothing yet."""
        whispers = self.fake.whispers()
        return whispers[-1]["text"] if whispers else ""
