"""Property: whatever deployments, signals and time do, waves keep their order, their bound and their proof."""

from collections.abc import Sequence
from dataclasses import dataclass

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from controlplane.declarations.model import ActionDeclaration, RuleDeclaration
from controlplane.declarations.wave_keys import gate_seconds, is_gate, target_of, waves
from controlplane.engine.decide import decide
from controlplane.engine.view import StageView
from controlplane.states import ActionStatus as A
from controlplane.states import StageStatus as S
from monitors.base import Verdict
from tests.controlplane.engine.test_waves import PIPELINE, declared

TEXT = PIPELINE.replace("sizes: [2]", "sizes: [3]\n      maxInFlight: 2").replace(
    "        inputs: [App]\n", "        runOrder: 2\n        inputs: [App]\n", 1
)
SMOKE = "      - {name: Smoke, provider: NoOp, runOrder: 3}\n    bake:"
STAGE = declared(TEXT.replace("    bake:\n      time", SMOKE + "\n      time")).stage("Prod")
MOST = 2
WAVE_OF = {name: wave.number for wave in waves(STAGE) for name in wave.targets}
DECLARED = {a.name: a for a in STAGE.actions} | {r.name: r for r in STAGE.rules()}


@dataclass
class Row:
    id: int
    name: str
    kind: str
    run_order: int
    status: str = A.IN_PROGRESS
    verdict: str = ""
    verdict_at: float | None = None
    verdict_since: float | None = None
    power: float | None = None
    ended_at: float | None = None
    started_at: float = 0.0
    attempt: int = 1
    summary: str = ""


class Machine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.status = S.IN_PROGRESS
        self.since: float | None = None
        self.baking: float | None = None
        self.held = ""
        self.rows: dict[str, Row] = {}
        self.settle()

    def settle(self) -> None:
        """Decide, and do what was decided, until nothing more follows."""
        while True:
            view = StageView(
                "s:1", "e", self.status, "", self.since, self.baking, self.held, STAGE, self.every()
            )
            moves = decide(view, self.now)
            for one in moves.create:
                self.create(one)
            for move in moves.actions:
                self.end(self.rows[move.name], move.new)
            self.since = self.now if moves.deploying else self.since
            self.held = moves.mark.get("held", self.held)
            if moves.stage is not None:
                self.status = moves.stage
                self.baking = self.now if moves.stage is S.BAKING else self.baking
            if not (moves.create or moves.stage):
                return

    def create(self, one: ActionDeclaration | RuleDeclaration) -> None:
        assert one.name not in self.rows, "nothing is started twice"
        kind = "rule" if isinstance(one, RuleDeclaration) else "action"
        order = one.run_order if isinstance(one, ActionDeclaration) else 0
        if kind == "action" and not (isinstance(one, ActionDeclaration) and is_gate(one)):
            self.may_begin(WAVE_OF[target_of(one)])
        if kind == "rule" and self.status is S.IN_PROGRESS:
            assert f"Deploy-{target_of(one)}" in self.rows, "a rule watches what is deployed"
        self.rows[one.name] = Row(len(self.rows), one.name, kind, order, started_at=self.now)

    def may_begin(self, wave: int) -> None:
        """The wave before is deployed, its gate is over, and every signal said so after that."""
        for name, number in WAVE_OF.items():
            if number < wave:
                assert self.rows[f"Smoke-{name}"].status == A.SUCCEEDED
        if wave > 1 and not any(WAVE_OF[target_of(DECLARED[n])] == wave for n in self.acted()):
            over = self.rows[f"Wave-{wave - 1}-bake"].ended_at
            assert over is not None
            for row in self.every():
                if row.kind == "rule":
                    assert row.verdict == Verdict.PASS and (row.verdict_at or 0.0) >= over

    def acted(self) -> list[str]:
        return [r.name for r in self.every() if r.kind == "action" and target_of(DECLARED[r.name])]

    def every(self) -> Sequence[Row]:
        return list(self.rows.values())

    def end(self, row: Row, status: str) -> None:
        row.status, row.ended_at = status, self.now

    def open(self, kind: str) -> list[Row]:
        gates = [a.name for a in STAGE.actions if is_gate(a)]
        found = [r for r in self.every() if r.kind == kind and r.status == A.IN_PROGRESS]
        return [row for row in found if row.name not in gates]

    @precondition(lambda self: self.open("action"))
    @rule(data=st.data(), well=st.integers(0, 19))
    def an_action_ends(self, data: st.DataObject, well: int) -> None:
        row = data.draw(st.sampled_from(self.open("action")))
        self.end(row, A.SUCCEEDED if well else A.FAILED)
        self.settle()

    @precondition(lambda self: self.open("rule"))
    @rule(
        verdicts=st.lists(st.sampled_from([*[Verdict.PASS] * 9, *Verdict]), min_size=4, max_size=4)
    )
    def signals_are_read(self, verdicts: list[Verdict]) -> None:
        for row, verdict in zip(self.open("rule"), verdicts, strict=False):
            row.verdict, row.verdict_at = verdict, self.now
        self.settle()

    @precondition(lambda self: self.open("rule"))
    @rule()
    def all_is_well(self) -> None:
        for row in self.open("rule"):
            row.verdict, row.verdict_at = Verdict.PASS, self.now
        self.settle()

    @rule(seconds=st.sampled_from([1, 30, 100]))
    def time_goes_by(self, seconds: int) -> None:
        self.now += seconds
        for gate in filter(is_gate, STAGE.actions):
            row = self.rows.get(gate.name)
            over = row is not None and row.started_at + sum(gate_seconds(gate)) <= self.now
            if row is not None and row.status == A.IN_PROGRESS and over:
                self.end(row, A.SUCCEEDED)
        self.settle()

    @invariant()
    def no_more_targets_are_under_way_than_declared(self) -> None:
        assert len({target_of(DECLARED[row.name]) for row in self.open("action")}) <= MOST

    @invariant()
    def the_first_fail_ends_it_and_leaves_nothing_under_way(self) -> None:
        failed = [r for r in self.every() if r.status == A.FAILED or r.verdict == Verdict.FAIL]
        if failed:
            assert self.status is S.FAILED
            assert all(row.status != A.IN_PROGRESS for row in self.every())

    @invariant()
    def it_succeeds_only_with_every_target_deployed_and_every_signal_good(self) -> None:
        if self.status is S.SUCCEEDED:
            assert set(self.rows) == set(DECLARED)
            assert {row.status for row in self.every()} == {A.SUCCEEDED}


TestMachine = Machine.TestCase
TestMachine.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)


def test_where_all_is_well_every_target_is_reached() -> None:
    machine = Machine()
    for _ in range(200):
        for row in machine.open("action"):
            machine.end(row, A.SUCCEEDED)
        machine.time_goes_by(30)
        for row in machine.open("rule"):
            row.verdict, row.verdict_at = Verdict.PASS, machine.now
        machine.settle()
    assert machine.status is S.SUCCEEDED
