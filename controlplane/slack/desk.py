"""What the rest of this room is made of."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from controlplane.engine.commands import Commands
from controlplane.engine.notes import NoteMaker
from controlplane.engine.structures import Structures
from controlplane.notify.slack import SlackNotifier
from controlplane.notify.slack_web import Web
from controlplane.settings import SlackPerson
from controlplane.store.database import Database
from controlplane.store.grants import Goes, nowhere


@dataclass(frozen=True)
class Door:
    """What the listeners need. secret: signs buttons. now: seconds since the epoch. goes: where stages lead."""

    database: Database
    commands: Commands
    structures: Structures
    people: Mapping[str, SlackPerson]
    secret: str
    now: Callable[[], float]
    goes: Goes = nowhere


@dataclass(frozen=True)
class Desk:
    """What the worker needs besides. notes, notifier: draw a message anew; web: opens windows, answers."""

    door: Door
    notes: NoteMaker
    notifier: SlackNotifier
    web: Web
