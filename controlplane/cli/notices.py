"""What `towpath notify` does beside the database: by the roles of registered accounts, and on the record."""

import getpass
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from accounts.base import Clients, Scope
from accounts.models import Purpose
from controlplane import wiring
from controlplane.clock import Clock, system_clock
from controlplane.engine.refusals import Person
from controlplane.notify.base import Note, NotifyError
from controlplane.notify.sns import SnsNotifier
from controlplane.notify.sns_setup import Step, Wish, set_up
from controlplane.settings import Settings
from controlplane.store import audit


class Place(NamedTuple):
    """A registered account and a region of AWS."""

    account: str
    region: str
    root: str
    """ "arn:aws:sns:REGION:ID", to which a topic's name is put."""


def place(clients: Clients, account: str, region: str) -> Place:
    """Answer where a topic is; AccountError or NotifyError where that is not ours to use."""
    known = clients.registry.get(account)
    region = region or known.regions[0]
    if region not in known.regions:
        listed = ", ".join(known.regions)
        raise NotifyError(f"--region {region}: {account} is registered for {listed}.")
    partition = known.role(Purpose.DEPLOY).split(":")[1]
    return Place(account, region, f"arn:{partition}:sns:{region}:{known.id}")


def make(clients: Clients, asked: Wish, where: Place, *, dry_run: bool) -> list[Step]:
    """Make what is missing, by the account's deploy role."""
    scope = Scope(resources=(f"{where.root}:{asked.topic}",))
    client = clients.client("sns", where.account, where.region, Purpose.DEPLOY, scope)
    return list(set_up(client, asked, where.root, dry_run=dry_run))


def tell(clients: Clients, topic: str, where: Place, clock: Clock) -> str:
    """Send one message as a pipeline's would come; answers its id."""
    now = clock()
    note = Note(
        id=f"towpath-test-{int(now.timestamp())}",
        kind="notify.test",
        at=now,
        pipeline="towpath",
        execution="",
        stage="",
        severity="info",
        title="a test of this topic",
        text=f"{getpass.getuser()} sent this with `towpath notify test`. Nothing happened.",
    )
    configuration = {"TopicArn": f"{where.root}:{topic}", "Account": where.account}
    SnsNotifier(clients).send(note, configuration, "")
    return note.id


def set_up_there(asked: Wish, account: str, region: str, *, dry_run: bool) -> list[dict[str, str]]:
    """Make it and note who did, where anything was made."""
    with _house() as house:
        where = place(house.clients, account, region)
        steps = make(house.clients, asked, where, dry_run=dry_run)
        made = [step.what for step in steps if step.state == "made"]
        if made:
            _note(house, f"in {account}: {'; '.join(made)}")
    return _documents(steps)


def send_test(account: str, topic: str, region: str) -> str:
    """Send it; answers the message's id."""
    with _house() as house:
        return tell(house.clients, topic, place(house.clients, account, region), house.clock)


@contextmanager
def _house() -> Iterator[wiring.House]:
    with wiring.build(Settings(), system_clock) as house:
        yield house


def _note(house: wiring.House, text: str) -> None:
    with house.database.begin() as connection:
        by = Person(getpass.getuser(), "cli")
        audit.note(connection, house.clock().timestamp(), by, "notify.setup", text)


def _documents(steps: Sequence[Step]) -> list[dict[str, str]]:
    return [{"what": one.what, "state": one.state, "toDo": one.to_do} for one in steps]
