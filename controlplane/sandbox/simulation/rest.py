"""Quiet: the faults end, people answer, time passes; and then what must hold at the end of all.

Nothing is stuck, everything that people had to be told was sent or is given up with a word in the log,
and what went bad is off every target, or a person knows.
"""

from collections.abc import Iterator

from controlplane.sandbox.simulation.cloudwatch import Sight
from controlplane.sandbox.simulation.codedeploy import Deployment
from controlplane.sandbox.simulation.fleet import Target
from controlplane.sandbox.simulation.invariants import broken
from controlplane.sandbox.simulation.people import ASKED, do
from controlplane.sandbox.simulation.releases import Flaw
from controlplane.sandbox.simulation.witness import Move
from controlplane.sandbox.simulation.world import World

ROUNDS = 700
SHORTEST, LONGEST = 8.0, 30.0
OVERDUE = 60.0

Broken = Iterator[tuple[str, str]]


def rest(world: World) -> Broken:
    """Let all become quiet, and answer with what does not hold on the way or at the end."""
    calm(world)
    for _ in range(ROUNDS):
        answer_approvals(world)
        world.advance(_pause(world))
        world.round()
        for replica in world.awake()[:1]:
            world.ask(replica, lambda r: r.sources.take(world.feed))
        wrong = list(broken(world.look()))
        if wrong:
            yield from wrong
            return
        if not list(stuck(world)):
            break
    yield from at_rest(world)
    world.weather.clear = False


def at_rest(world: World) -> Broken:
    """What holds when all is quiet."""
    yield from (("nothing is stuck", what) for what in stuck(world))
    yield from (("what was abandoned is followed to its end", what) for what in lost(world))
    yield from (("everything told was sent or is given up", what) for what in untold(world))
    yield from (("a bad release is off, or a person knows", what) for what in bad(world))


def calm(world: World) -> None:
    """All that may end, ends: every replica lives, with the right time."""
    world.say("calm")
    world.weather.clear_up()
    world.database.down = False
    world.cloud.topics.failing = 0.0
    for watching in world.cloud.cloudwatch.values():
        watching.sight = Sight.CLEAR
        for one in watching.watched.values():
            one.flaps = 0.0
    for slot in world.slots:
        if slot.replica is None:
            world.start_replica(slot)
        if slot.replica is not None:
            slot.replica.asleep, slot.replica.clock.wrong = False, 0.0


def answer_approvals(world: World) -> None:
    """People approve what waits for them."""
    for row in world.witness.rows(ASKED):
        for replica in world.awake()[:1]:
            world.ask(replica, lambda r, row=row: do("approve", dict(row), r.commands))  # type: ignore[misc]


def _pause(world: World) -> float:
    query = """SELECT min(at) AS at FROM (SELECT min(due_at) AS at FROM action_execution
        WHERE due_at IS NOT NULL UNION ALL SELECT min(due_at) FROM outbox WHERE due_at IS NOT NULL)"""
    at = world.witness.rows(query)[0]["at"]
    return LONGEST if at is None else min(max(at - world.now, SHORTEST), LONGEST)


# --- nothing is stuck ---------------------------------------------------------------------------

WAITS = """
SELECT s.id, s.execution_id, s.pipeline, s.stage, s.status,
    s.held || coalesce('until ' || s.extended_until, '') AS held,
    EXISTS (SELECT 1 FROM transition t WHERE t.pipeline = s.pipeline AND t.stage = s.stage) AS closed,
    EXISTS (SELECT 1 FROM stage_execution o WHERE o.pipeline = s.pipeline AND o.stage = s.stage
        AND o.ended_at IS NULL AND o.status <> 'Inbound') AS occupied,
    (SELECT group_concat(a.verdict) FROM action_execution a WHERE a.stage_id = s.id
        AND a.kind = 'rule' AND a.verdict NOT IN ('PASS', '')) AS verdicts
FROM stage_execution s WHERE s.ended_at IS NULL ORDER BY s.id
"""

BAKES = ("Baking", "InProgress")
"""A stage that is held: at its end, or between two of its waves."""


def stuck(world: World) -> Iterator[str]:
    """Executions that are not over, though nothing that we know keeps them; and messages not sent."""
    yield from _unfinished(world)
    for row in world.witness.rows(FOLLOWED):
        yield f"{row['name']} of {row['execution_id']} was abandoned, and has not ended"
    for due in world.witness.due():
        if due.due_at < world.now - OVERDUE:
            yield f"{due.name} of {due.execution} was due {world.now - due.due_at:.0f} s ago"
    for row in world.witness.rows("SELECT id, error FROM outbox WHERE status = 'PENDING' LIMIT 3"):
        yield f"notification {row['id']} was never sent: {row['error']}"


def _unfinished(world: World) -> Iterator[str]:
    waits = {row["execution_id"]: row for row in world.witness.rows(WAITS)}
    for execution in world.mirror.open:
        row = waits.get(execution)
        if row is None:
            yield f"{execution} is not over, but is in no stage and before none"
        elif row["status"] == "Inbound":
            if not (row["closed"] or row["occupied"]):
                yield f"{execution} waits before {row['stage']}, which is open and empty"
        elif not (row["status"] in BAKES and row["held"] and row["verdicts"]):
            yield f"{execution} is {row['status']} in {row['stage']} of {row['pipeline']}"


FOLLOWED = """
SELECT name, execution_id FROM action_execution WHERE kind = 'abandoned' AND ended_at IS NULL
"""
LOST = """
SELECT a.name, a.execution_id, a.handle FROM action_execution a
WHERE a.kind = 'action' AND a.status = 'Abandoned' AND a.handle <> '' AND a.name LIKE 'Deploy-%'
    AND NOT EXISTS (SELECT 1 FROM execution r WHERE r.rolls_back = a.execution_id)
    AND NOT EXISTS (SELECT 1 FROM action_execution f WHERE f.kind = 'abandoned' AND f.token = a.token)
"""


def lost(world: World) -> Iterator[str]:
    """Deployments that were given up and that nobody took away or followed; and ends that are no ends."""
    for row in world.witness.rows(LOST):
        yield f"{row['handle']} of {row['name']} of {row['execution_id']} was lost sight of"
    ended = "SELECT handle, status FROM action_execution WHERE kind = 'abandoned' AND ended_at > 0"
    by_id = {
        id_: one for vendor in world.cloud.codedeploy.values() for id_, one in vendor.by_id.items()
    }
    for row in world.witness.rows(ended):
        found = by_id.get(row["handle"])
        if found is not None and (found.status == "Succeeded") != (row["status"] == "Succeeded"):
            yield f"{row['handle']} is {found.status}, but was told to have {row['status']}"


def untold(world: World) -> Iterator[str]:
    """A notification that is given up must have been given up aloud."""
    dead = world.witness.rows("SELECT count(*) AS n FROM outbox WHERE status = 'DEAD'")[0]["n"]
    if dead > world.ear.given_up:
        yield f"{dead} notifications are DEAD, and {world.ear.given_up} were logged as given up"


# --- a bad release is off, or a person knows --------------------------------------------------------


def bad(world: World) -> Iterator[str]:
    """Targets that serve a bad release though nobody was told."""
    for target in world.targets:
        for deployment, release in world.cloud.served(
            (target.account, target.region), target.group
        ):
            flaw = release.flaw_in(target.account)
            if flaw is not Flaw.NONE and not _excused(world, target, deployment):
                where = f"{target.group} in {target.region}"
                yield f"{where} serves release {release.number} by {deployment.id}: {flaw}"
                break


def _excused(world: World, target: Target, deployment: Deployment) -> bool:
    call, event = world.begun[deployment.id]
    if deployment.creator == "user" and call is None:
        return True  # somebody did it by hand
    if not target.goes_back:
        return True  # no rollback is declared: the failed stage is told, and that is all
    if world.pages.get((target.pipeline, target.stage), 0) > event:
        return True
    if call is None:
        return False
    judged = "SELECT 1 FROM stage_execution WHERE id = ? AND judged <> ''"
    by_person = call.execution in world.stopped or bool(world.witness.rows(judged, call.stage))
    return by_person or _held(world, world.mirror.stages.get(call.stage))


def _held(world: World, stage: Move | None) -> bool:
    """It bakes on, and people were told why its bake cannot end."""
    if stage is None:
        return False
    rows = {row["id"]: row for row in world.witness.rows(WAITS)}
    row = rows.get(stage.row)
    return row is not None and bool(row["held"]) and bool(row["verdicts"])
