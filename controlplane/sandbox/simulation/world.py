"""The world of one seed: the fleet, the vendors, the replicas, the clock; and a look at all of it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import Context
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from sqlite3 import connect

from accounts import term
from controlplane.clock import ManualClock
from controlplane.declarations.model import PipelineDeclaration
from controlplane.engine.view import bake_seconds
from controlplane.journal import TOLD
from controlplane.sandbox.simulation import people
from controlplane.sandbox.simulation.cloud import Cloud, SimulatedClients
from controlplane.sandbox.simulation.codedeploy import CodeDeploy, Deployment
from controlplane.sandbox.simulation.disk import Death, KilledError, SimulatedDatabase, folder
from controlplane.sandbox.simulation.fleet import draw, targets, watched_by
from controlplane.sandbox.simulation.listening import Ear, listening
from controlplane.sandbox.simulation.mirror import Bake, Call, Mirror, Seen
from controlplane.sandbox.simulation.releases import Release
from controlplane.sandbox.simulation.replica import Feed, Made, Replica
from controlplane.sandbox.simulation.trace import Trace
from controlplane.sandbox.simulation.weather import ORDINARY, Weather
from controlplane.sandbox.simulation.witness import Told, Witness

REPLICAS = (1, 2, 3)
PAUSES = (0.0, 0.001, 0.005)
OFTENER = 20
"""So much oftener where it begins something."""
STANDS = (5.0, 150.0)
"""Seconds: longer than a lease and the deployment that whoever takes over begins."""
CHUNK = 5.0
"""Seconds: in between, the vendors are told the time."""
TURNS = 12
ALL = 1 << 30
PAGES = frozenset({"person.paged", "rollback.failed"})

BAKING = """
SELECT row FROM simulated_move WHERE id > ? AND kind = 'stage' AND new = 'Baking'
"""
ON_RECORD = """
SELECT a.status, e.type AS kind, e.digest AS about, e.id AS execution, a.stage_id AS stage,
    e.ended_at IS NOT NULL AS over,
    EXISTS (SELECT 1 FROM stage_execution p WHERE p.execution_id = e.id
            AND p.position = s.position - 1 AND p.status = 'Succeeded') AS passed
FROM action_execution a JOIN stage_execution s ON s.id = a.stage_id
JOIN execution e ON e.id = a.execution_id
WHERE a.token = ? ORDER BY a.status = 'Starting' DESC, a.id DESC
"""


@dataclass(slots=True)
class Slot:
    """Where a replica runs, or will again at `until`. lives: how many have run here."""

    replica: Replica | None
    until: float = 0.0
    lives: int = 1


@dataclass
class World:
    """Everything. Made by `world`."""

    chance: Random
    clock: ManualClock
    cloud: Cloud
    database: SimulatedDatabase
    witness: Witness
    ear: Ear
    fleet: dict[str, PipelineDeclaration]
    feed: Feed
    slots: list[Slot] = field(default_factory=list)
    mirror: Mirror = field(default_factory=Mirror)
    trace: Trace = field(default_factory=Trace)
    calls: list[Call] = field(default_factory=list)
    begun: dict[str, tuple[Call | None, int]] = field(default_factory=dict)
    """Deployment -> what was on record when it began, and the last event before it."""
    tokens: set[str] = field(default_factory=set)
    baking: dict[str, float] = field(default_factory=dict)
    pages: dict[tuple[str, str], int] = field(default_factory=dict)
    """(pipeline, stage) -> the last event that paged a person; stage "": of the pipeline."""
    stopped: set[str] = field(default_factory=set)
    """Executions that a person took out of our hands."""
    served: bool = False
    acting: Replica | None = None
    """Who does something now."""
    pauses: float = 0.0
    """How likely a process stands still in the middle of a call."""
    stood_still: int = 0
    releases: int = 0
    moves: int = 0

    @property
    def now(self) -> float:
        """The true time."""
        return self.clock().timestamp()

    @property
    def weather(self) -> Weather:
        """The vendors' faults."""
        return self.cloud.weather

    def say(self, line: str) -> None:
        """Note what happens."""
        self.trace.say(self.now - self.started, line)

    def __post_init__(self) -> None:
        self.started = self.now
        self.modes = {name: str(one.execution_mode) for name, one in self.fleet.items()}
        self.targets = [one for declared in self.fleet.values() for one in targets(declared)]

    # --- what happens ---------------------------------------------------------------------------

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        while seconds > 0:
            self.clock.advance(min(seconds, CHUNK))
            seconds -= CHUNK
            self.cloud.tick(self.now)

    def awake(self) -> list[Replica]:
        """The replicas that go on, in an order by chance."""
        found = [s.replica for s in self.slots if s.replica is not None and not s.replica.asleep]
        self.chance.shuffle(found)
        return found

    def start_replica(self, slot: Slot) -> None:
        """A new process."""
        name = f"replica-{self.slots.index(slot) + 1}.{slot.lives}"
        clients = SimulatedClients(self.cloud)
        seeded = Random(self.chance.getrandbits(64))  # noqa: S311 - a simulation's, not a secret
        made = Made(self.clock, seeded)
        slot.replica = Replica(name, self.database, self.witness, clients, made)
        slot.lives += 1

    def ask(self, replica: Replica, doing: Callable[[Replica], object]) -> bool:
        """Let a replica do something; False where it died of it."""
        before, self.acting = self.acting, replica
        try:
            failed = replica.asked(doing)
        except KilledError:
            self.kill(replica)
            return False
        finally:
            self.acting, self.database.death = before, Death.NONE
        if failed and not self.database.down:
            self.ear.lost.append(f"{replica.name}: {failed} on a database that is well")
        return True

    def kill(self, replica: Replica) -> None:
        """Its memory is gone; another starts in its place some time."""
        slot = next(slot for slot in self.slots if slot.replica is replica)
        slot.replica, slot.until = None, self.now + self.chance.uniform(1, 60)

    def round(self, calls: int = ALL) -> None:
        """Everybody who is awake goes on; calls: how many of its calls happen in a turn."""
        for replica in self.awake():
            done: list[bool] = []
            lived = self.ask(replica, lambda r, i=done: i.append(r.turns(TURNS, calls)))  # type: ignore[misc]
            if lived and done and calls == ALL:
                self.served = True

        if self.outbox_is_due():
            for replica in self.awake()[:1]:
                self.ask(replica, Replica.deliver)

    def stand_still(self, method: str) -> None:
        """The process that calls stands still, with its call unsent; the others go on meanwhile.

        Only once at a time, and not where a death is drawn for who commits next: the others would die of it.
        """
        replica = self.acting
        if replica is None or replica.asleep or not term.is_set() or self.weather.clear:
            return
        likely = self.pauses * (OFTENER if method == "create_deployment" else 1)
        if self.database.death is not Death.NONE or self.chance.random() >= likely:
            return
        seconds = self.chance.uniform(*STANDS)
        self.say(f"{replica.name} stands still in the middle of a call, for {seconds:.0f} s")
        replica.asleep, self.stood_still = True, self.stood_still + 1
        Context().run(self._meanwhile, seconds)
        replica.asleep = False

    def _meanwhile(self, seconds: float) -> None:
        """In a context of its own: what is said of one process's calls holds for no other's."""
        while seconds > 0:
            step = min(seconds, 10.0)
            self.advance(step)
            self.round()
            for row in self.witness.rows(BAKING, self.witness.last_move):
                self.baking.setdefault(row["row"], self.now)
            seconds -= step

    def outbox_is_due(self) -> bool:
        """Whether a look into the outbox is worth it."""
        found = self.witness.rows("SELECT min(due_at) AS at FROM outbox WHERE due_at IS NOT NULL")
        return found[0]["at"] is not None and found[0]["at"] <= self.now

    def press(self, replica: Replica) -> None:
        """A person does something by way of this replica."""
        drawn = people.press(self.chance, self.witness)
        if drawn is None:
            return
        name, row = drawn
        answer: list[str] = []
        self.ask(replica, lambda r: answer.append(people.do(name, row, r.commands)))
        about = row.get("id") or row.get("execution_id", "")
        how = "the database was away" if not answer else answer[0] or "granted"
        self.say(f"a person presses {name}: {row['pipeline']} {row['stage']} {about[:18]}: {how}")
        if name in ("stop", "abandon") and answer == [""]:
            self.stopped.add(about)

    def release(self, made: Release) -> str:
        """Upload it."""
        self.releases += 1
        version = self.cloud.release(made)
        where = f" in {made.account}" if made.account else ""
        self.say(f"{made.application} {version} is uploaded: {made.flaw}{where}")
        return version

    # --- what is seen ---------------------------------------------------------------------------

    def told(self, codedeploy: CodeDeploy, made: Deployment) -> None:
        """CodeDeploy is about to begin a deployment; note what is on record now."""
        release = self.cloud.release_at(made.place)
        where = f"{made.group} in {codedeploy.region}"
        self.say(
            f"CodeDeploy begins {made.id} of {where}: release {release.number}, {made.creator}"
        )
        call = None
        if made.token:
            found = self.witness.rows(ON_RECORD, made.token)
            known = dict(found[0]) if found else {}
            call = Call(
                made.id, made.token, release.digest, bool(known),
                known.get("status", ""), known.get("kind", ""), known.get("about", ""),
                bool(known.get("passed")), made.token in self.tokens,
                known.get("execution", ""), known.get("stage", ""), bool(known.get("over")),
            )  # fmt: skip
            self.calls.append(call)
            self.tokens.add(made.token)
        self.begun[made.id] = (call, self.witness.last_event)

    def wanted(self, event: Told) -> int:
        """How many places want to be told of an event."""
        if event.kind not in TOLD:
            return 0
        places = self.fleet[event.pipeline].notifications
        return sum(
            not one.events or any(event.kind.startswith(word) for word in one.events)
            for one in places
        )

    def look(self) -> Seen:
        """What the last step did, as the witness and the vendors saw it."""
        seen = Seen(self.mirror, self.modes, self.wanted, self.now)
        seen.moves, seen.events = self.witness.moves(), self.witness.events()
        for move in seen.moves:
            self.mirror.apply(move)
            if move.kind == "stage" and move.new == "Baking":
                self.baking.setdefault(move.row, self.now)
        for event in seen.events:
            self._note(event)
        succeeded = [m for m in seen.moves if m.kind == "stage" and m.new == "Succeeded"]
        seen.bakes = [bake for move in succeeded for bake in self._bakes(move.row, *move[4:6])]
        seen.due = self.witness.due()
        seen.calls, self.calls = self.calls, []
        seen.lost = self.ear.take_lost()
        seen.served, self.served = self.served, False
        self.moves += len(seen.moves)
        return seen

    def _note(self, event: Told) -> None:
        where = "/".join(part for part in (event.pipeline, event.stage, event.action) if part)
        self.say(f"  {event.kind} {where} {event.execution[:18]} {event.text[:160]}".rstrip())
        if event.kind in PAGES:
            self.pages[event.pipeline, event.stage] = event.id
            self.pages[event.pipeline, ""] = event.id

    def _bakes(self, stage: str, pipeline: str, name: str) -> Iterator[Bake]:
        """The rules of a stage that succeeded by them; a rollback's stage has none."""
        if self.mirror.executions[stage.partition(":")[0]].name == "ROLLBACK":
            return
        if self.witness.rows("SELECT 1 FROM stage_execution WHERE id = ? AND judged <> ''", stage):
            return  # by a person's word
        query = "SELECT name, verdict FROM action_execution WHERE stage_id = ? AND kind = 'rule'"
        verdicts = {row["name"]: row["verdict"] for row in self.witness.rows(query, stage)}
        since = self.baking.get(stage, 0.0)
        for rule in self.fleet[pipeline].stage(name).rules():
            place, group = watched_by(rule)
            well = self.cloud.cloudwatch[place].watched[group].answered_well
            verdict, until = verdicts.get(rule.name, ""), since + bake_seconds(rule)
            yield Bake(stage, rule.name, verdict, until, well, self.now)


@contextmanager
def world(seed: int) -> Iterator[World]:
    """A world from its seed: fleet applied, first releases not yet made."""
    chance = Random(seed)  # noqa: S311 - a simulation's, not a secret
    clock = ManualClock()
    with folder() as place, listening() as ear:
        made = _made(place, chance, clock, ear)
        try:
            yield made
        finally:
            made.witness.connection.close()
            made.database.close()


def _made(place: Path, chance: Random, clock: ManualClock, ear: Ear) -> World:
    def now() -> float:
        return clock().timestamp()

    database = SimulatedDatabase(place, now)
    weather = Weather(chance, ordinary=chance.choice((0.0, ORDINARY, 4 * ORDINARY)))
    cloud = Cloud(chance, weather, now())
    witness = Witness(connect(database.path, isolation_level=None, check_same_thread=False))
    fleet = {declared.name: declared for declared in draw(chance)}
    made = World(chance, clock, cloud, database, witness, ear, fleet, Feed(chance))
    cloud.told, cloud.midway = made.told, made.stand_still
    made.pauses = chance.choice(PAUSES)
    for target in made.targets:
        auto = chance.random() < 0.3  # noqa: PLR2004 - three groups of ten roll back by themselves
        cloud.add_group((target.account, target.region), target.group, auto=auto)
    for _ in range(chance.choice(REPLICAS)):
        made.slots.append(Slot(None))
        made.start_replica(made.slots[-1])
    first = made.awake()[0]
    for declared in fleet.values():
        made.ask(first, lambda r, d=declared: r.commands.apply_pipeline(d, people.ANNE))  # type: ignore[misc]
        made.say(f"pipeline {declared.name}, {declared.execution_mode}: {_stages(declared)}")
    return made


def _stages(declared: PipelineDeclaration) -> str:
    return " > ".join(stage.name for stage in declared.stages)
