"""A PromQL query as a signal: one number, evaluated step by step up to the look.

The grid of steps ends at the look, so the newest point is always as new as the look. A server that
cannot be asked is an error (UNREACHABLE), never silence and never good.
https://prometheus.io/docs/prometheus/latest/querying/api/#range-queries
"""

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from accounts.breaker import Breakers, OpenError
from monitors.base import MonitorError, Point, Query, Series
from monitors.edge import understood
from monitors.values import Configuration, duration, text
from monitors.web import TooLargeError, TooSlowError, checked, fetch

STEP = timedelta(seconds=15)
POINTS = 10_000
"""Points of one answer; Prometheus itself refuses more than 11,000."""
LIMIT = 4 * 1024 * 1024
"""Bytes of an answer that are read."""
WITHIN = timedelta(seconds=5)
TICK = timedelta(milliseconds=1)
"""Prometheus counts in milliseconds; the window ends one before its end."""
TRIES = 2
UNHEARD = (httpx.TransportError, TooSlowError)
NOTE = 500

TOKEN = re.compile(r"(TOWPATH_)?PROM[A-Z0-9_]*")
"""Names of environment variables that may hold a token: else a pipeline's author could have any
secret of this process sent to an address of theirs."""


@dataclass(frozen=True, slots=True)
class Ask:
    """Where to ask, and what."""

    url: str
    query: str
    step: timedelta
    token: str


class Prometheus:
    """Reads one PromQL expression for each rule. servers: address by name, from the settings."""

    endpoint = ("Prometheus", "Url")

    def __init__(
        self,
        http: httpx.Client,
        now: Callable[[], datetime],
        servers: Mapping[str, str],
        environ: Mapping[str, str],
        breakers: Breakers | None = None,
    ) -> None:
        self._breakers = breakers or Breakers(now)
        self._http = http
        self._now = now
        self._servers = servers
        self._environ = environ

    def read(self, queries: Sequence[Query]) -> Mapping[str, Series | MonitorError]:
        """Answer with the values of the one series that each query has.

        A server that nobody listens at is asked once, a slow one twice, for all queries of a call.
        """
        asks, wrong = understood(queries, lambda query: self._ask(query.configuration))
        answers: dict[str, Series | MonitorError] = dict(wrong)
        failures: dict[str, int] = {}
        for query, ask in asks:
            if failures.get(ask.url, 0) >= TRIES:
                answers[query.key] = MonitorError(f"Prometheus at {ask.url} does not answer")
                continue
            try:
                answers[query.key] = self._series(query, ask)
            except MonitorError as error:
                answers[query.key] = error
            except OpenError as error:
                answers[query.key] = MonitorError(str(error), retry_after=error.retry_after)
            except httpx.HTTPError as error:
                # Nobody listens: no other query will fare better. Too slow: another one may.
                unheard = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
                failures[ask.url] = failures.get(ask.url, 0) + (TRIES if unheard else 1)
                why = str(error) or type(error).__name__
                answers[query.key] = MonitorError(
                    f"Prometheus at {ask.url} could not be reached: {why}"
                )
        return answers

    def _ask(self, configuration: Configuration) -> Ask:
        url = configuration.get("Url", "")
        if not url:
            name = text(configuration, "Prometheus")
            if name not in self._servers:
                known = ", ".join(sorted(self._servers)) or "none"
                raise ValueError(f"there is no Prometheus named {name!r} in the settings: {known}")
            url = self._servers[name]
        step = duration(configuration, "Step", STEP)
        if not step:
            raise ValueError("Step is 0s: write at least 1s")
        return Ask(
            checked(url).rstrip("/"), text(configuration, "Query"), step, self._token(configuration)
        )

    def _token(self, configuration: Configuration) -> str:
        name = configuration.get("TokenEnv", "")
        if not name:
            return ""
        if not TOKEN.fullmatch(name):
            raise ValueError(
                f"TokenEnv {name!r}: only variables whose name starts with PROM are read"
            )
        if not self._environ.get(name):
            raise ValueError(f"TokenEnv names {name}, which is not set where Towpath runs")
        return self._environ[name]

    def _series(self, query: Query, ask: Ask) -> Series:
        start, end = grid(query, ask.step)
        request = self._http.build_request(
            "GET",
            f"{ask.url}/api/v1/query_range",
            params={
                "query": ask.query,
                "start": f"{start.timestamp():.3f}",
                "end": f"{end.timestamp():.3f}",
                "step": f"{ask.step.total_seconds():g}",
                "timeout": f"{WITHIN.total_seconds():g}s",
            },
            headers={"Authorization": f"Bearer {ask.token}"} if ask.token else {},
        )
        try:
            with self._breakers.guard(("", "", request.url.netloc.decode(), False), UNHEARD):
                answer = fetch(self._http, request, self._now, limit=LIMIT, within=WITHIN)
        except (TooLargeError, TooSlowError) as error:
            raise MonitorError(f"Prometheus at {ask.url}: {error}") from error
        return parse(answer.status, answer.body, ask.url)


def grid(query: Query, step: timedelta) -> tuple[datetime, datetime]:
    """Give the first and last time to evaluate at, a whole number of steps apart."""
    end = query.end - TICK
    steps = max(0, min((end - query.start) // step, POINTS - 1))
    return end - steps * step, end


def parse(status: int, body: bytes, url: str = "") -> Series:
    """Read an answer of /api/v1/query_range; MonitorError where it is not that of one series."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        answer = None
    answer = answer if isinstance(answer, dict) else {}
    if status != httpx.codes.OK or answer.get("status") != "success":
        raise _refused(status, answer, url)
    data = answer.get("data")
    data = data if isinstance(data, dict) else {}
    result = data.get("result")
    if data.get("resultType") != "matrix" or not isinstance(result, list):
        raise MonitorError(f"Prometheus at {url} answered no matrix of numbers", permanent=True)
    if len(result) > 1:
        raise MonitorError(
            f"the query answers {len(result)} series: make one of them, as by sum(...) or max(...)",
            permanent=True,
        )
    warnings = answer.get("warnings")
    told = [str(one) for one in warnings] if isinstance(warnings, list) else []
    # A warning is how Prometheus, Thanos and Mimir say that a part of the data was not there.
    return Series(_points(result), not told, "; ".join(told)[:NOTE])


def _refused(status: int, answer: Mapping[str, Any], url: str) -> MonitorError:
    told = str(answer.get("error") or f"HTTP status {status}")[:NOTE]
    if answer.get("errorType") == "bad_data" or status == httpx.codes.BAD_REQUEST:
        return MonitorError(f"Prometheus refused the query: {told}", permanent=True)
    if status in {401, 403}:
        return MonitorError(
            f"Prometheus at {url} refused us ({told}): name a variable with a token in TokenEnv",
            permanent=True,
        )
    return MonitorError(
        f"Prometheus at {url} did not answer: {told}", permanent=status == httpx.codes.NOT_FOUND
    )


def _points(result: Sequence[Any]) -> tuple[Point, ...]:
    found: dict[datetime, float] = {}
    try:
        for at, value in (pair for series in result for pair in series.get("values", ())):
            number = float(value)
            if math.isfinite(number):
                found[datetime.fromtimestamp(float(at), UTC)] = number
    except (AttributeError, TypeError, ValueError, OverflowError, OSError) as error:
        raise MonitorError(f"Prometheus answered what is no series: {error}") from error
    return tuple(Point(at, found[at]) for at in sorted(found))
