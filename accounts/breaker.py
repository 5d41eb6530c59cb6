"""Circuit breakers: what does not answer is left alone for a while; rollbacks have their own.

One for each (account, region, service). It opens after a few calls in a row that got no answer (no
connection, a time-out, a 5xx); a refusal or a throttled call is an answer. While it is open nobody
waits out the time-out again: calls are refused at once and say when to try. Then one call is let
through as a probe, and its answer closes the breaker. Nobody sleeps here.

A rollback is refused neither for what ordinary calls met nor for what its own met: while its breaker
is open it may probe at any time, one call after the other.
"""

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import (
    ClientError,
    ConnectionError,  # noqa: A004 - botocore's name
    HTTPClientError,
    IncompleteReadError,
)
from botocore.parsers import ResponseParserError

from accounts.codes import THROTTLED
from accounts.models import Purpose
from accounts.throttle import CallError

log = logging.getLogger(__name__)

OPENS_AFTER = 5
"""Calls in a row without an answer."""
PAUSES = (5.0, 10.0, 20.0, 40.0, 60.0)
"""Seconds until a probe, after the first, second, ... opening in a row."""
PROBE = 45.0
"""Seconds until a probe that told nothing is given up; a call takes at most 39 s (accounts.connect)."""
IN_TURN = 1.0
"""Seconds until a rollback asks again whether the probe before it has ended."""
SERVER_FAULT = 500
UNANSWERED = (ConnectionError, HTTPClientError, IncompleteReadError, ResponseParserError)

Key = tuple[str, str, str, bool]
"""Account, region, service, and whether it is the rollback's. Outside AWS the service is a host."""


class OpenError(CallError):
    """The breaker is open: the call was not made. retry_after: when it may be."""


@dataclass(slots=True)
class _Breaker:
    """failures in a row; opened: how often in a row. probe: since when one is under way."""

    failures: int = 0
    opened: int = 0
    until: datetime | None = None
    probe: datetime | None = None


class Breakers:
    """The breakers of this process. Safe under threads."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        """Take the clock."""
        self._now = now
        self._lock = threading.Lock()
        self._breakers: dict[Key, _Breaker] = {}

    def enter(self, key: Key) -> None:
        """Ask before a call; OpenError where it must not be made now."""
        found = self._breakers.get(key)
        if found is None or found.until is None:
            return
        with self._lock:
            wait = self._wait(key, found)
            if wait <= 0:
                found.probe = self._now()
                return
        raise OpenError(
            f"{_named(key)} has not answered {found.failures} times in a row and is left alone; "
            f"try again in {wait:.1f} s.",
            retry_after=wait,
        )

    def _wait(self, key: Key, breaker: _Breaker) -> float:
        """Seconds until a call may be let through; 0 where it may now."""
        now = self._now()
        if breaker.until is None:  # closed by another thread
            return 0.0
        if breaker.probe is not None:
            left = (breaker.probe + timedelta(seconds=PROBE) - now).total_seconds()
            return min(left, IN_TURN) if key[3] else left
        return 0.0 if key[3] else (breaker.until - now).total_seconds()

    def unanswered(self, key: Key) -> None:
        """A call got no answer."""
        with self._lock:
            breaker = self._breakers.setdefault(key, _Breaker())
            breaker.failures += 1
            late = breaker.until is not None and breaker.probe is None
            breaker.probe = None
            if late or breaker.failures < OPENS_AFTER:
                return  # late: sent before it opened, so it says nothing new
            breaker.opened += 1
            pause = PAUSES[min(breaker.opened, len(PAUSES)) - 1]
            breaker.until = self._now() + timedelta(seconds=pause)
            first = breaker.opened == 1
        if first:
            log.warning("%s does not answer and is left alone; one call probes it", _named(key))

    def answered(self, key: Key) -> None:
        """A call got an answer, whatever it was: the way there is open."""
        if key not in self._breakers:  # nearly always
            return
        with self._lock:
            breaker = self._breakers.pop(key, None)
        if breaker is not None and breaker.until is not None:
            log.warning("%s answers again", _named(key))

    def left(self, key: Key) -> None:
        """A call ended before it was sent: if it was the probe, another one may go."""
        with self._lock:
            if key in self._breakers:
                self._breakers[key].probe = None

    @contextmanager
    def guard(
        self, key: Key, unanswered: tuple[type[Exception], ...] = UNANSWERED
    ) -> Iterator[None]:
        """Make one call under its breaker. unanswered: what it raises where nobody answers."""
        self.enter(key)
        try:
            yield
        except ClientError as error:
            self._told(key, error.response)
            raise
        except Exception as error:
            (self.unanswered if isinstance(error, unanswered) else self.left)(key)
            raise
        self.answered(key)

    def open(self) -> Mapping[Key, bool]:
        """Each place that has not answered its last call, and whether its breaker is open."""
        with self._lock:
            return {key: found.until is not None for key, found in self._breakers.items()}

    def attach(self, client: Any, account: str, purpose: Purpose) -> None:
        """Watch a boto3 client. Comes after the throttle, so that none of its refusals is a probe.

        before-call comes once a call; after it either after-call or after-call-error.
        """
        region, service = client.meta.region_name, client.meta.service_model.service_name
        key = (account, region, service, purpose is Purpose.ROLLBACK)

        def before(**_: Any) -> None:
            self.enter(key)

        def after(parsed: Any, **_: Any) -> None:
            self._told(key, parsed)

        def failed(exception: Exception, **_: Any) -> None:
            (self.unanswered if isinstance(exception, UNANSWERED) else self.left)(key)

        client.meta.events.register("before-call", before, unique_id="towpath-breaker")
        client.meta.events.register("after-call", after, unique_id="towpath-answered")
        client.meta.events.register("after-call-error", failed, unique_id="towpath-unanswered")

    def _told(self, key: Key, parsed: Any) -> None:
        told = parsed if isinstance(parsed, dict) else {}
        status = int(told.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        code = told.get("Error", {}).get("Code", "")
        broken = status >= SERVER_FAULT and code not in THROTTLED
        (self.unanswered if broken else self.answered)(key)


def _named(key: Key) -> str:
    account, region, service, rollback = key
    where = f" in {account} ({region})" if account else ""
    return f"{service}{where}{' for rollbacks' if rollback else ''}"
