"""Property: whatever vendors, people, crashes and time do, these things hold after every step.

One execution at a time in a stage; nothing is deployed that did not pass the stage before; the digest in
every stage is the one tested; the intent is on record before the call; nothing starts twice under one
token; what is over stays over; silence is never taken for health.
"""

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from sqlalchemy import select

from controlplane.engine.extending import Extension
from controlplane.engine.loop import Engine, Limits
from controlplane.engine.refusals import CommandError
from controlplane.sandbox.scripted import AtOnce, Scripted, source_of, succeed
from controlplane.states import ExecutionStatus
from controlplane.store import executions
from controlplane.store.tables import ActionExecution, Execution, StageExecution, table
from monitors.base import Judgement, MonitorError, Outcome, Progress, Task, Verdict
from tests.support.house import ANNE, KEYS, House, deploying, pipeline, source

ACTION, STAGE, EXECUTION = table(ActionExecution), table(StageExecution), table(Execution)
STAGES = ("Dev", "Prod")
TRIES = 2
TERMINAL = {"Succeeded", "Stopped", "Superseded", "Cancelled", "Abandoned"}


class Vendor(Scripted):
    """Answers what the machine last told it to; checks that the intent was on record."""

    def __init__(self, house: "Machine") -> None:
        super().__init__()
        self.machine = house
        self.says = Outcome.SUCCEEDED
        self.raises = False

    def start(self, task: Task) -> Progress:
        with self.machine.house.database.read() as connection:
            row = connection.execute(
                select(ACTION.c.status, ACTION.c.starts).where(ACTION.c.token == task.token)
            ).one()
        known = task.token in {done.token for done in self.started}
        if row.status != "Starting":
            self.machine.wrong.append("the intent was not on record before the call")
        if known and not task.again:
            self.machine.wrong.append("a second start did not know that it is one")
        return super().start(task)

    def _script(self, task: Task) -> Any:
        del task  # whatever is asked, the answer is what was told
        if self.raises:
            return lambda _task, _asked: MonitorError("throttled")
        if self.says is Outcome.SUCCEEDED:
            return succeed
        return lambda t, _asked: Progress(self.says, handle=f"h-{t.token}", summary="as told")


class Dropping(AtOnce):
    """A process that dies before it makes the calls it had claimed."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
        del fn, args, kwargs


class Machine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.house = House(self.folder)
        self.vendors = {name: Vendor(self) for name in KEYS if name.startswith("CodeDeploy")}
        self.house.drivers.update(self.vendors)
        self.verdict = Verdict.PASS
        self.house.drivers["CloudWatchAlarm"].default = self.judge
        self.house.engine = self.house.new_engine()
        self.zombie: Engine | None = None
        self.wrong: list[str] = []
        self.releases = 0
        self.over: dict[tuple[str, Any], str] = {}

    def teardown(self) -> None:
        self.house.database.close()
        shutil.rmtree(self.folder)

    def judge(self, _task: Task, asked: int) -> Progress:
        judged = Judgement(self.verdict, f"said {self.verdict}") if asked else None
        return Progress(Outcome.RUNNING, handle="watching", judgement=judged)

    @rule(mode=st.sampled_from(["SUPERSEDED", "QUEUED"]), tries=st.booleans())
    def apply(self, mode: str, tries: bool) -> None:
        stages = [deploying(name, bake="5s", Watch="2m") for name in STAGES]
        for stage in stages if tries else ():
            words = {"RetryAttempts": f"{TRIES}", "AfterRetries": "ROLLBACK"}
            stage["actions"][0]["configuration"] |= words
            stage["onFailure"] = {"result": "RETRY"}
        self.house.apply(pipeline(source(), *stages, mode=mode))

    @precondition(lambda self: self.known())
    @rule()
    def release(self) -> None:
        self.releases += 1
        self.house.drivers["S3"].default = source_of(f"sha256:{self.releases:064x}")
        self.house.commands.start("shop", ANNE)

    @rule(turns=st.integers(1, 6), seconds=st.sampled_from([0, 1, 5, 40]))
    def go_on(self, turns: int, seconds: int) -> None:
        self.house.clock.advance(seconds)
        self.house.settle(turns)

    @rule(
        name=st.sampled_from(["CodeDeploy", "CodeDeployStop", "CodeDeployRestore"]),
        says=st.sampled_from(list(Outcome)),
        raises=st.booleans(),
    )
    def vendor(self, name: str, says: Outcome, raises: bool) -> None:
        self.vendors[name].says, self.vendors[name].raises = says, raises

    @rule(verdict=st.sampled_from(list(Verdict)))
    def signal(self, verdict: Verdict) -> None:
        self.verdict = verdict

    @rule(before_the_call=st.booleans(), turns=st.integers(1, 3))
    def crash(self, before_the_call: bool, turns: int) -> None:
        """Killed before the calls, or after the answers and before the commit; another goes on."""
        for _ in range(turns - 1):
            self.house.engine.turn()
        if before_the_call:
            drivers = {KEYS[name]: driver for name, driver in self.house.drivers.items()}
            pools = (Dropping(), Dropping())
            house = self.house
            Engine(house.database, house.structures, drivers, house.clock, Limits(), pools).turn()
        else:
            self.house.engine.turn()
        self.zombie = self.house.engine
        self.house.engine = self.house.new_engine()
        self.house.clock.advance(Limits().lease + 1)
        self.house.settle(1)

    @precondition(lambda self: self.zombie is not None)
    @rule()
    def a_zombie_writes_what_it_knew(self) -> None:
        assert self.zombie is not None
        self.zombie.turn()

    @precondition(lambda self: self.known())
    @rule(
        what=st.sampled_from(
            ["stop", "abandon", "retry", "rollback", "judge", "extend", "close", "open", "lift"]
        ),
        stage=st.sampled_from(STAGES),
    )
    def person(self, what: str, stage: str) -> None:
        """A person asks; what cannot be granted is refused and changes nothing."""
        commands, newest = self.house.commands, next(iter(self.house.rows()), None)
        execution = newest.id if newest else "none"
        asked: dict[str, Callable[[], object]] = {
            "stop": lambda: commands.stop(execution, ANNE, abandon=False, reason="r"),
            "abandon": lambda: commands.stop(execution, ANNE, abandon=True, reason="r"),
            "retry": lambda: commands.retry(execution, stage, ANNE, all_actions=False),
            "rollback": lambda: commands.rollback("shop", stage, ANNE, reason="r"),
            "judge": lambda: commands.judge(execution, stage, ANNE, passes=True, reason="r"),
            "extend": lambda: commands.extend_bake(execution, stage, ANNE, Extension(1, "r")),
            "close": lambda: commands.disable_transition("shop", stage, ANNE, reason="r"),
            "open": lambda: commands.enable_transition("shop", stage, ANNE, reason="r"),
            "lift": lambda: commands.lift_quarantine(self.digest(newest), ANNE, reason="r"),
        }
        try:
            asked[what]()
        except CommandError as refusal:
            self.refused = str(refusal)

    def digest(self, row: Any) -> str:
        return row.digest if row else "none"

    def known(self) -> bool:
        with self.house.database.read() as connection:
            return connection.exec_driver_sql("SELECT 1 FROM pipeline").first() is not None

    # --- what holds ---------------------------------------------------------------------------------

    @invariant()
    def every_call_was_intended_and_starts_only_once(self) -> None:
        assert not self.wrong

    @invariant()
    def one_execution_at_a_time_in_a_stage(self) -> None:
        with self.house.database.read() as connection:
            inside = (
                connection.execute(
                    select(STAGE.c.stage).where(
                        STAGE.c.status.in_(["InProgress", "Baking", "Stopping"])
                    )
                )
                .scalars()
                .all()
            )
        assert len(inside) == len(set(inside))

    @invariant()
    def nothing_is_deployed_that_did_not_pass_the_stage_before(self) -> None:
        with self.house.database.read() as connection:
            for task in self.vendors["CodeDeploy"].started:
                rows = executions.of_execution(connection, task.execution)
                names = [row.stage for row in rows]
                before = [
                    r for r in rows if r.position == rows[names.index(task.stage)].position - 1
                ]
                assert any(row.status == "Succeeded" for row in before)

    @invariant()
    def the_digest_in_every_stage_is_the_one_tested(self) -> None:
        with self.house.database.read() as connection:
            for task in self.vendors["CodeDeploy"].started:
                execution = executions.by_id(connection, task.execution)
                assert execution is not None
                assert {artifact.digest for artifact in task.inputs} == {execution.digest}

    @invariant()
    def a_stage_is_tried_again_as_often_as_declared_and_never_after_a_bad_verdict(self) -> None:
        automatic = STAGE.c.retried == "automatic"
        with self.house.database.read() as connection:
            again = connection.execute(select(STAGE).where(automatic)).all()
            for row in again:
                before = f"{row.id.rsplit(':', 1)[0]}:{row.attempt - 1}"
                said = select(ACTION.c.verdict).where(
                    ACTION.c.stage_id == before, ACTION.c.kind == "rule"
                )
                assert "FAIL" not in connection.execute(said).scalars().all()
        tried = Counter((row.execution_id, row.position) for row in again)
        assert max(tried.values(), default=0) <= TRIES

    @invariant()
    def what_is_over_stays_over(self) -> None:
        with self.house.database.read() as connection:
            now = {
                (one.name, row.id): row.status
                for one in (EXECUTION, STAGE, ACTION)
                for row in connection.execute(select(one.c.id, one.c.status)).all()
            }
        for key, status in self.over.items():
            assert now[key] == status, key
        self.over = {k: v for k, v in now.items() if v in TERMINAL}
        self.over |= {k: v for k, v in now.items() if v == "Failed" and k[0] != "execution"}

    @invariant()
    def an_execution_that_is_over_has_nothing_under_way(self) -> None:
        ended = [s for s in ExecutionStatus if s not in ("InProgress", "Stopping")]
        with self.house.database.read() as connection:
            left = connection.execute(
                select(ACTION.c.id)
                .join(EXECUTION, ACTION.c.execution_id == EXECUTION.c.id)
                .where(EXECUTION.c.status.in_(ended), ACTION.c.due_at.is_not(None))
                .where(ACTION.c.kind != "watch")
            ).all()
        assert not left

    @invariant()
    def silence_is_never_taken_for_health(self) -> None:
        with self.house.database.read() as connection:
            passed = (
                connection.execute(
                    select(ACTION.c.verdict).where(
                        ACTION.c.kind == "rule", ACTION.c.status == "Succeeded"
                    )
                )
                .scalars()
                .all()
            )
        assert set(passed) <= {"PASS"}


TestMachine = Machine.TestCase
TestMachine.settings = settings(
    max_examples=60,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
