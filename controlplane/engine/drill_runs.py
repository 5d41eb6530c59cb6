"""Drills that are open, step by step to their end: whoever takes over reads the rows and goes on from there."""

import logging
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from accounts.base import AccountError
from controlplane.actions.alarm_setter import Alarm
from controlplane.engine.commands import Commands
from controlplane.engine.conflicts import is_conflict
from controlplane.engine.drill_rows import seen
from controlplane.engine.drill_step import NOTICED_WITHIN, Do, Seen, decide
from controlplane.engine.refusals import Person
from controlplane.engine.structures import Structures
from controlplane.engine.transaction import Transaction, transaction
from controlplane.states import DrillState
from controlplane.store import drills
from controlplane.store.database import Database
from monitors.base import MonitorError

log = logging.getLogger(__name__)

DRILL = Person("towpath", "drill")
REASON = "Towpath drill"
CLEARED_WITHIN = 600.0
"""Seconds for which setting the alarm back is tried again."""


class Setter(Protocol):
    """What sets alarms."""

    def state(self, alarm: Alarm) -> tuple[str, str]:
        """The state and its reason."""
        ...

    def set(self, alarm: Alarm, state: str, reason: str) -> None:
        """Set it; the same again changes nothing."""
        ...


class DrillRuns:
    """Sets alarms and sets them back, and puts on record what was noticed and how long it took."""

    def __init__(
        self,
        database: Database,
        structures: Structures,
        commands: Commands,
        setter: Setter,
        now: Callable[[], float],
    ) -> None:
        self._database, self._structures, self._commands = database, structures, commands
        self._setter, self._now = setter, now

    def any_open(self) -> bool:
        """True where a step may be due."""
        with self._database.read() as connection:
            return bool(drills.open_ones(connection))

    def step(self) -> None:
        """Take every open drill one step further; one that cannot be is tried again, and holds up no other."""
        with self._database.read() as connection:
            found = [(drill, seen(connection, drill)) for drill in drills.open_ones(connection)]
        for drill, how in found:
            try:
                self._step(drill, how)
            except (MonitorError, AccountError) as error:
                log.warning("the drill of %s/%s waits: %s", drill.pipeline, drill.stage, error)
            except Exception as error:
                if not is_conflict(error):
                    log.exception("the drill of %s/%s waits", drill.pipeline, drill.stage)

    def _step(self, drill: Any, how: Seen | None) -> None:
        if how is None:
            self._end(drill, None, DrillState.FAILED, "its execution is gone")
            return
        do, why = decide(drill, how, self._now())
        {
            Do.WAIT: lambda: None,
            Do.ARM: lambda: self._move(drill, how, DrillState.ALARMED),
            Do.ALARM: lambda: self._alarm(drill, how),
            Do.NOTICE: lambda: self._move(drill, how, DrillState.NOTICED),
            Do.CLEAR: lambda: self._clear(drill),
            Do.STOP: lambda: self._stop(drill),
            Do.FINISH: lambda: self._end(drill, how, DrillState.DONE, ""),
            Do.FAIL: lambda: self._end(drill, how, DrillState.FAILED, why),
        }[do]()

    def _move(self, drill: Any, how: Seen, state: DrillState) -> None:
        with self._transaction() as tx:
            noticed = {"detected_at": how.failed_at} if state is DrillState.NOTICED else {}
            drills.move(tx.connection, drill, state, **noticed)
            text = f"{drill.alarm} is set" if state is DrillState.ALARMED else "it was noticed"
            tx.fact(f"drill.{state}", how.execution, stage=drill.stage, text=text)

    def _alarm(self, drill: Any, how: Seen) -> None:
        """Set it, and again where CloudWatch has set it back before anybody looked."""
        alarm = _alarm_of(drill)
        state, _ = self._setter.state(alarm)
        if state != "ALARM":
            if not drill.sets:  # the clock of the first set starts before its call
                with self._transaction() as tx:
                    drills.move(tx.connection, drill, DrillState.ALARMED, set_at=tx.now)
            said = f"{REASON} of {drill.pipeline}/{drill.stage}, execution {how.execution.id}"
            self._setter.set(alarm, "ALARM", said)
        elif drill.sets:
            return
        with self._transaction() as tx:
            drills.set_once_more(tx.connection, drill, tx.now)

    def _clear(self, drill: Any) -> None:
        """Set it back; an alarm that is in ALARM for a reason of its own is left alone."""
        alarm = _alarm_of(drill)
        state, reason = self._setter.state(alarm)
        if state == "ALARM" and reason.startswith(REASON):
            self._setter.set(alarm, "OK", f"{REASON} is over")

    def _stop(self, drill: Any) -> None:
        """Then the execution is over, and the next step says that nobody noticed."""
        why = f"nobody noticed {drill.alarm} within {NOTICED_WITHIN:.0f} s"
        self._commands.stop(drill.execution_id, DRILL, abandon=True, reason=why)

    def _end(self, drill: Any, how: Seen | None, state: DrillState, why: str) -> None:
        note = why
        try:
            self._clear(drill)
        except (MonitorError, AccountError) as error:
            if not error.permanent and self._now() < drill.requested_at + CLEARED_WITHIN:
                raise  # it is tried again
            note = f"{why}; {drill.alarm} could not be set back: {error}".lstrip("; ")
        times = {
            "stopped_at": how.stopped_at if how else None,
            "restored_at": how.rollback.ended_at if how and state is DrillState.DONE else None,
        }
        with self._transaction() as tx:
            drills.move(tx.connection, drill, state, **times, ended_at=tx.now, note=note[:1000])
            if how is not None:
                self._tell(tx, drill, how, state, note, times)

    def _tell(
        self, tx: Transaction, drill: Any, how: Seen, state: DrillState, note: str, times: Any
    ) -> None:
        if state is DrillState.FAILED:
            tx.fact("drill.failed", how.execution, stage=drill.stage, text=note)
            return
        took = seconds({**drill._mapping, **times})  # noqa: SLF001 - a row as a mapping
        parts = ", ".join(f"{part} after {value:.1f} s" for part, value in took.items())
        text = f"{drill.alarm} was set; {parts}" + (f"; {note}" if note else "")
        tx.fact("drill.finished", how.execution, stage=drill.stage, text=text, data=took)

    def _transaction(self) -> Any:
        return transaction(self._database, self._structures, self._now)


def seconds(drill: Mapping[str, Any]) -> dict[str, float]:
    """How long after the alarm was set each part was reached; what was not reached is left out."""
    begin = drill["set_at"]
    parts = (("detected", "detected_at"), ("stopped", "stopped_at"), ("restored", "restored_at"))
    return {
        part: round(drill[column] - begin, 3)
        for part, column in parts
        if begin is not None and drill[column] is not None
    }


def _alarm_of(drill: Any) -> Alarm:
    place = drill.account, drill.region, drill.alarm
    return Alarm(*place, drill.pipeline, drill.stage, drill.execution_id)
