"""How often we call: a token bucket for each (account, region, operation); rollbacks have theirs.

AWS throttles an account's API as a whole, so our polling could take the calls that a team's own
tools, or our own rollback, need at that moment. Nobody sleeps here: an empty bucket says when to
try again, and the engine, which owns time, looks later. `attach` hooks a client up, so that drivers
need not know.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import BotoCoreError

from accounts.base import AccountError
from accounts.codes import THROTTLED
from accounts.models import Purpose


@dataclass(frozen=True, slots=True)
class Rate:
    """So many calls a second on average, and so many at once."""

    per_second: float
    burst: float


DEFAULT = Rate(10, 20)

RATES: Mapping[str, Rate] = {
    # AWS publishes few of these quotas. Ours are meant to be a fraction of what an account has, and
    # `slow` goes under them where AWS says that it was still too much.
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html
    "cloudwatch:DescribeAlarms": Rate(4, 8),
    "cloudwatch:DescribeAlarmHistory": Rate(4, 8),
    "cloudwatch:GetMetricData": Rate(20, 40),
    "codedeploy:CreateDeployment": Rate(2, 5),
    "codedeploy:StopDeployment": Rate(2, 5),
    "codedeploy:GetDeployment": Rate(10, 20),
    "codedeploy:BatchGetDeployments": Rate(5, 10),
    "codedeploy:ListDeployments": Rate(5, 10),
    "codedeploy:GetDeploymentGroup": Rate(5, 10),
    "codedeploy:ListDeploymentTargets": Rate(5, 10),
    "codedeploy:BatchGetDeploymentTargets": Rate(5, 10),
    "inspector2:ListFindings": Rate(2, 5),
    "inspector2:ListCoverage": Rate(2, 5),
    "inspector2:BatchGetAccountStatus": Rate(1, 5),
    "synthetics:GetCanary": Rate(2, 5),
    "synthetics:GetCanaryRuns": Rate(2, 5),
    "synthetics:DescribeCanaries": Rate(1, 5),
    "ecr:DescribeImages": Rate(5, 10),
    "lambda:Invoke": Rate(10, 20),
    "sns:Publish": Rate(30, 60),
    "events:PutEvents": Rate(100, 200),
    "sts:AssumeRole": Rate(20, 60),
    "s3:HeadObject": Rate(100, 200),
    "s3:GetObject": Rate(100, 200),
    "s3:UploadPartCopy": Rate(100, 200),
}
"""Calls by service and operation, of one account in one region, outside a rollback."""
HASTE = 4
"""A rollback may call so many times as often, beside what others call: a bad release in production costs
more than a quota does, and where AWS says that it was too much, `slow` goes under it."""

SLOWEST = 1 / 16
"""Throttled again and again, we still call at this share of the rate."""
RECOVERY = 60.0
"""Seconds until a halved rate is back at its whole."""
FURTHEST = 60.0
"""Seconds: nobody is told to come back later than that."""


class CallError(AccountError, BotoCoreError):
    """Raised by us out of a client's call, where drivers expect botocore's errors: so it is one."""

    def __init__(
        self, message: str, *, permanent: bool = False, retry_after: float | None = None
    ) -> None:
        # Neither parent's __init__: each would call the other's with what it does not take.
        Exception.__init__(self, message)
        self.kwargs: dict[str, Any] = {}
        self.permanent = permanent
        self.retry_after = retry_after


class ThrottledError(CallError):
    """We hold a call back; retry_after seconds from now it is its turn."""

    postponed = True


@dataclass(slots=True)
class _Bucket:
    """promised: tokens that are still to come, and that somebody was told to come back for."""

    tokens: float
    at: datetime
    share: float = 1.0
    promised: float = 0.0


Key = tuple[str, str, str, bool]
"""Account, region, operation, and whether it is the rollback's lane."""


class Throttle:
    """The buckets of this process. Safe under threads."""

    def __init__(
        self,
        now: Callable[[], datetime],
        rates: Mapping[str, Rate] = RATES,
        default: Rate = DEFAULT,
    ) -> None:
        """Take the clock, and the rates by "service:Operation"."""
        self._now = now
        self._rates = rates
        self._default = default
        self._lock = threading.Lock()
        self._buckets: dict[Key, _Bucket] = {}

    def take(self, account: str, region: str, operation: str, purpose: Purpose) -> None:
        """Count one call of "service:Operation"; ThrottledError where it must wait."""
        rate = self._rate(operation, purpose)
        with self._lock:
            bucket = self._filled((account, region, operation, purpose is Purpose.ROLLBACK), rate)
            if bucket.tokens >= 1:
                bucket.tokens -= 1
                return
            speed = rate.per_second * bucket.share
            # Each is told a time of its own: all at once, one would get the token and many ask in vain.
            wait = min((1 - bucket.tokens + bucket.promised) / speed, FURTHEST)
            bucket.promised = min(bucket.promised + 1, FURTHEST * speed)
        raise ThrottledError(
            f"{operation} in {account} ({region}) has been called as often as we allow ourselves; "
            f"try again in {wait:.1f} s.",
            retry_after=wait,
        )

    def slow(self, account: str, region: str, operation: str, purpose: Purpose) -> None:
        """Halve a rate and empty its bucket, because AWS throttled us. It recovers by itself."""
        rate = self._rate(operation, purpose)
        with self._lock:
            bucket = self._filled((account, region, operation, purpose is Purpose.ROLLBACK), rate)
            bucket.share = max(bucket.share / 2, SLOWEST)
            bucket.tokens = 0.0

    def _rate(self, operation: str, purpose: Purpose) -> Rate:
        rate = self._rates.get(operation, self._default)
        if purpose is not Purpose.ROLLBACK:
            return rate
        return Rate(rate.per_second * HASTE, rate.burst * HASTE)

    def _filled(self, key: Key, rate: Rate) -> _Bucket:
        now = self._now()
        bucket = self._buckets.setdefault(key, _Bucket(rate.burst, now))
        passed = max((now - bucket.at).total_seconds(), 0.0)
        new = passed * rate.per_second * bucket.share
        bucket.tokens = min(rate.burst, bucket.tokens + new)
        bucket.promised = max(0.0, bucket.promised - new)
        bucket.share = min(1.0, bucket.share + passed / RECOVERY)
        bucket.at = now
        return bucket

    def attach(self, client: Any, account: str, purpose: Purpose) -> None:
        """Watch a boto3 client: a call takes a token first, a throttled answer slows us down.

        before-call comes once a call, before it is signed and sent; what is raised there reaches
        the caller. Neither handler may answer anything: an answer would stand for the call's.
        """
        region, service = client.meta.region_name, client.meta.service_model.service_name

        def before(model: Any, **_: Any) -> None:
            self.take(account, region, f"{service}:{model.name}", purpose)

        def after(model: Any, parsed: Any, **_: Any) -> None:
            code = parsed.get("Error", {}).get("Code", "") if isinstance(parsed, dict) else ""
            if code in THROTTLED:
                self.slow(account, region, f"{service}:{model.name}", purpose)

        client.meta.events.register("before-call", before, unique_id="towpath-throttle")
        client.meta.events.register("after-call", after, unique_id="towpath-throttled")
