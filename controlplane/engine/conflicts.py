"""Two replicas at the same rows: one of them takes its transaction back, reads anew and decides anew.

Compare-and-swap, unique indexes and PostgreSQL's own deadlock detection say that it happened; none of
them lets anything half-written stand. Trying again at once is right: the other one has committed.
"""

import functools
import logging
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from sqlalchemy.exc import IntegrityError

from controlplane.engine.refusals import CommandError, Problem
from controlplane.store.distributed import lost_a_race
from controlplane.store.swap import StaleError

log = logging.getLogger(__name__)

TRIES = 5

P = ParamSpec("P")
T = TypeVar("T")


def is_conflict(error: Exception) -> bool:
    """True where the same transaction, decided anew, may go through."""
    return isinstance(error, StaleError | IntegrityError) or lost_a_race(error)


def retried(run: Callable[[], T]) -> T:
    """Run one transaction, anew after a conflict; what the last try raised where none went through."""
    for _ in range(TRIES - 1):
        try:
            return run()
        except Exception as error:
            if not is_conflict(error):
                raise
            log.info("decided anew, for another was quicker (%s)", type(error).__name__)
    return run()


def again(command: Callable[P, T]) -> Callable[P, T]:
    """A person's command, which is one transaction; CommandError (busy) where no try went through."""

    @functools.wraps(command)
    def tried(*args: P.args, **named: P.kwargs) -> T:
        try:
            return retried(lambda: command(*args, **named))
        except Exception as error:
            if not is_conflict(error):
                raise
            said = "too much changed there at once, and nothing was changed by you; ask again"
            raise CommandError(Problem.BUSY, said) from error

    return tried
