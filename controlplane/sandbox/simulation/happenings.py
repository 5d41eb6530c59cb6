"""What can happen in a step, and how often. One literal table; a seed takes some of it, weighted anew.

A seed in which everything happens at once gets nowhere: each seed leaves some kinds out and has more of
others, so that the depths are reached too.
"""

import math
from collections.abc import Callable, Mapping
from functools import partial
from random import Random

from controlplane.sandbox.simulation.cloud import ACCOUNTS, RELEASES
from controlplane.sandbox.simulation.cloudwatch import Sight
from controlplane.sandbox.simulation.disk import Death
from controlplane.sandbox.simulation.fleet import SLOWEST_ONSET
from controlplane.sandbox.simulation.releases import Flaw, Release
from controlplane.sandbox.simulation.replica import Replica
from controlplane.sandbox.simulation.weather import Mood, Spell
from controlplane.sandbox.simulation.world import ALL, World

Happening = Callable[[World], None]

PAUSES = (0.5, 2.0, 5.0, 10.0, 20.0)
BAD_RELEASES = 0.4
FOR_EVER = 0.1
SERVICES = ("", "", "codedeploy", "cloudwatch", "s3", "sns")


def go_on(world: World) -> None:
    """Time passes, and everybody works."""
    world.advance(world.chance.choice(PAUSES))
    _wake(world)
    world.round(world.chance.choice((ALL, ALL, ALL, 1)))
    for replica in world.awake()[:1]:
        if world.feed.waiting:
            world.ask(replica, lambda r: r.sources.take(world.feed))


def _wake(world: World) -> None:
    """Whose time has come, works again: a new process, or one that slept and is a zombie now."""
    for slot in world.slots:
        if slot.until > world.now:
            continue
        if slot.replica is None:
            world.start_replica(slot)
            world.say(f"replica-{world.slots.index(slot) + 1} starts again")
        elif slot.replica.asleep:
            slot.replica.asleep = False
            world.say(f"{slot.replica.name} wakes up")


def release(world: World) -> None:
    """Somebody uploads a release, good or bad; the event of it comes once, twice or never."""
    chance = world.chance
    name = chance.choice(list(world.fleet))
    made = Release(name, world.releases + 1)
    if chance.random() < BAD_RELEASES:
        flaw = chance.choice((Flaw.FAILS, Flaw.ALARMS, Flaw.ALARMS))
        account = chance.choice(["dev", "prod", "prod"])
        onset = chance.uniform(0, SLOWEST_ONSET)
        made = Release(name, world.releases + 1, flaw, account, onset)
    version = world.release(made)
    world.feed.add(f"{name}.zip", RELEASES, version, chance.choice((0, 1, 1, 2)))


def poll(world: World) -> None:
    """A replica asks every source for its newest revision."""
    for replica in world.awake()[:1]:
        world.ask(replica, lambda r: r.sources.poll())


def press(world: World) -> None:
    """A person presses something."""
    for replica in world.awake()[:1]:
        world.press(replica)


def spell(world: World) -> None:
    """A fault begins at some vendor of some account."""
    chance = world.chance
    mood = chance.choice(list(Mood))
    account = chance.choice(["", *ACCOUNTS])
    until = world.now + chance.uniform(5, 300)
    if mood in (Mood.DENIED, Mood.REVOKED):
        account = account or "prod"
        until = math.inf if chance.random() < FOR_EVER else until
    made = Spell(mood, account, chance.choice(SERVICES), until, chance.choice((0.3, 1.0)))
    world.weather.spells.append(made)
    world.say(f"weather: {mood} at {made.service or 'all'} of {made.account or 'all'}")


def sight(world: World) -> None:
    """The monitoring of one account and region sees less, or falsely."""
    place = world.chance.choice(list(world.cloud.cloudwatch))
    watching = world.cloud.cloudwatch[place]
    watching.sight = world.chance.choice(list(Sight))
    watching.sight_until = world.now + world.chance.uniform(10, 240)
    world.say(f"the monitoring of {place[0]} in {place[1]} sees: {watching.sight}")


def flap(world: World) -> None:
    """An alarm goes on and off by itself."""
    target = world.chance.choice(world.targets)
    watched = world.cloud.cloudwatch[target.account, target.region].watched[target.group]
    watched.flaps = world.now + world.chance.uniform(10, 90)
    world.say(f"the alarm of {target.group} in {target.region} flaps")


def kill(world: World) -> None:
    """A replica is killed: before its calls, after them and before the commit, or at a commit."""
    how = world.chance.choice(("before its calls", "after them", "at a commit", "after a commit"))
    for replica in _in_the_middle(world):
        world.say(f"{replica.name} is killed {how}")
        world.database.death = DEATHS.get(how, Death.NONE)
        calls = ALL if how == "after them" else 0
        if world.ask(replica, partial(Replica.turns, most=1, calls=calls)):
            world.kill(replica)


DEATHS = {"at a commit": Death.BEFORE, "after a commit": Death.AFTER}


def stall(world: World) -> None:
    """A replica stands still with its calls made or not, and comes back later: a zombie."""
    calls = world.chance.choice((0, ALL))
    for replica in _in_the_middle(world):
        if world.ask(replica, partial(Replica.turns, most=1, calls=calls)):
            slot = next(slot for slot in world.slots if slot.replica is replica)
            replica.asleep, slot.until = True, world.now + world.chance.uniform(5, 120)
            world.say(f"{replica.name} stands still, its calls {'made' if calls else 'not made'}")


def _in_the_middle(world: World) -> list[Replica]:
    """A replica that has work under way: it took some turns, and the next one is drawn by chance."""
    for replica in world.awake()[:1]:
        world.advance(world.chance.choice(PAUSES))
        if world.ask(replica, partial(Replica.turns, most=world.chance.randint(0, 6), calls=ALL)):
            return [replica]
    return []


def jump(world: World) -> None:
    """A replica's clock jumps, by up to minutes, or is set right again."""
    for replica in world.awake()[:1]:
        by = world.chance.choice((0.0, 0.0, -150.0, -20.0, 20.0, 150.0))
        replica.clock.wrong = by
        world.say(f"the clock of {replica.name} is wrong by {by:+.0f} s")


def outage(world: World) -> None:
    """The database goes away, or comes back."""
    world.database.down = not world.database.down
    world.say(f"the database is {'away' if world.database.down else 'back'}")


def by_hand(world: World) -> None:
    """Somebody deploys an old release past Towpath."""
    target = world.chance.choice(world.targets)
    codedeploy = world.cloud.codedeploy[target.account, target.region]
    group = codedeploy.groups[target.group]
    done = [one for one in group.deployments if one.status == "Succeeded"]
    if done and group.active() is None:
        codedeploy.create(group, world.chance.choice(done).place, "by hand")


def deaf(world: World) -> None:
    """SNS takes nothing for a while."""
    world.cloud.topics.failing = world.now + world.chance.uniform(5, 120)
    world.say("SNS takes nothing for a while")


ALWAYS: Mapping[Happening, float] = {go_on: 60, release: 8, poll: 2}
SOMETIMES: Mapping[Happening, float] = {
    press: 7, spell: 3, sight: 2, flap: 2, kill: 3, stall: 3, jump: 2, by_hand: 1, deaf: 1,
    outage: 2,
}  # fmt: skip


def temper(chance: Random) -> dict[Happening, float]:
    """What this seed is made of."""
    drawn = {what: weight * chance.choice((0, 1, 1, 3)) for what, weight in SOMETIMES.items()}
    return {**ALWAYS, **drawn}


def next_(world: World, weights: Mapping[Happening, float]) -> None:
    """One step. A database that is away comes back soon."""
    if world.database.down and world.chance.random() < 0.3:  # noqa: PLR2004 - within a few steps
        outage(world)
        return
    (what,) = world.chance.choices(list(weights), list(weights.values()))
    what(world)
