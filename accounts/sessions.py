"""Clients that act in an account: one assumed session for each (role, region, scope), shared.

boto3 sessions and the making of clients are not safe under threads, finished clients are.
https://docs.aws.amazon.com/boto3/latest/guide/clients.html
So: a short lock around the cache; a lock for each session, by which the first thread assumes the
role and the others wait for it and for nothing else; and one lock around the making of clients.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import boto3
from botocore.credentials import RefreshableCredentials

from accounts import term
from accounts.assume import Ask, assume
from accounts.base import AccountError, Registry, Scope
from accounts.breaker import Breakers
from accounts.codes import EXPIRED, REFUSED, RENEWED, UNKNOWN_SESSION
from accounts.connect import Connector
from accounts.lending import Lent, Objects, lend
from accounts.models import Account, Purpose
from accounts.throttle import CallError, Throttle

REFRESH_FROM = 15 * 60
"""Seconds before a session expires from which one thread fetches the next, while others go on."""
REFRESH_BY = 5 * 60
"""Seconds before a session expires from which every thread waits for the next one."""
MOST_SESSIONS = 128
"""A session with one client takes some 0.4 MB; one that was pushed out is assumed anew."""
REMEMBERED = timedelta(seconds=1)
"""So long those who waited for a refused session share that answer instead of asking STS again."""
ONCE_IN = timedelta(minutes=5)
"""A refused session is replaced once in that time: refused again, it is the role that may not."""

RENEWABLE = REFUSED | UNKNOWN_SESSION
"""A session that was revoked is answered like one that never had the right."""

Key = tuple[str, str, str, str, str, Purpose, str, Scope]


@dataclass(slots=True)
class _Session:
    """One assumed session, its clients by service, and the last refusal.

    refused: message, permanent, when. renewed: when it took the place of one that AWS refused.
    """

    lock: threading.Lock = field(default_factory=threading.Lock)
    boto: boto3.Session | None = None
    clients: dict[str, Any] = field(default_factory=dict)
    refused: tuple[str, bool, datetime] | None = None
    renewed: datetime | None = None


class Sessions:
    """`accounts.base.Clients`, and `accounts.lending.Lender`."""

    def __init__(
        self,
        registry: Registry,
        *,
        now: Callable[[], datetime],
        throttle: Throttle | None = None,
        breakers: Breakers | None = None,
        base_session: boto3.Session | None = None,
    ) -> None:
        """Take the registry and the clock. base_session: Towpath's own identity."""
        self.registry = registry
        self._now = now
        self._throttle = throttle or Throttle(now)
        self._breakers = breakers or Breakers(now)
        self._connector = Connector(base_session)
        self._cache: OrderedDict[Key, _Session] = OrderedDict()
        self._cache_lock = threading.Lock()

    def client(
        self,
        service: str,
        account: str,
        region: str,
        purpose: Purpose,
        scope: Scope = Scope(),  # noqa: B008 - frozen
    ) -> Any:
        """Answer a client of one service; AccountError where the role cannot be assumed.

        Its calls raise botocore's ClientError; and CallError, which is an AccountError and one of
        botocore's, where the throttle or an open breaker holds them back, or the session could not
        be refreshed.
        """
        found = self.registry.get(account)
        if region not in found.regions:
            raise AccountError(
                f"Account {found.name} has no region {region[:40]!r} (it has "
                f"{', '.join(found.regions)}); add it to the account or correct the region.",
                permanent=True,
            )
        key = _key(found, purpose, region, scope)
        session = self._session(key)
        with session.lock:
            made = session.clients.get(service)
            if made is None:
                boto = self._assumed(session, found, key)
                made = self._make(boto, service, key, session)
                session.clients[service] = made
        return made

    def _session(self, key: Key) -> _Session:
        """Take it from the cache, or put a new one there; the longest unused makes room."""
        with self._cache_lock:
            session = self._cache.setdefault(key, _Session())
            self._cache.move_to_end(key)
            while len(self._cache) > MOST_SESSIONS:
                self._cache.popitem(last=False)
            return session

    def _assumed(self, session: _Session, account: Account, key: Key) -> boto3.Session:
        """Assume the role, if this session has not yet."""
        if session.boto is not None:
            return session.boto
        if session.refused is not None:
            message, permanent, at = session.refused
            if self._now() - at < REMEMBERED:
                raise AccountError(message, permanent=permanent)
        *_, purpose, region, scope = key
        try:
            first = self._credentials(account, purpose, region, scope)
        except CallError:  # held back by us, and it says until when
            raise
        except AccountError as error:
            session.refused = (str(error), error.permanent, self._now())
            raise
        refreshable = RefreshableCredentials(
            first["access_key"],
            first["secret_key"],
            first["token"],
            datetime.fromisoformat(first["expiry_time"]),
            refresh_using=lambda: self._refreshed(account, purpose, region, scope),
            method="towpath-assume-role",
            time_fetcher=self._now,
            advisory_timeout=REFRESH_FROM,
            mandatory_timeout=REFRESH_BY,
            account_id=first["account_id"],
        )
        session.boto = self._connector.session(refreshable, region)
        return session.boto

    def lend(self, account: str, region: str, objects: Objects, scope: Scope) -> Lent:
        """`accounts.lending.Lender`: credentials for somebody else, made anew each time."""
        found = self.registry.get(account)
        where = region if region in found.regions else found.regions[0]
        return lend(self._asking(found, Purpose.DEPLOY, where), found, objects, scope)

    def _credentials(
        self, account: Account, purpose: Purpose, region: str, scope: Scope
    ) -> dict[str, str]:
        return assume(self._asking(account, purpose, region), account, purpose, scope)

    def _asking(self, account: Account, purpose: Purpose, region: str) -> Ask:
        """STS's assume_role in a region, throttled, behind the account's own breaker."""
        self._throttle.take(account.name, region, "sts:AssumeRole", purpose)
        sts = self._connector.sts(region)
        key = (account.name, region, "sts", purpose is Purpose.ROLLBACK)

        def ask(**request: Any) -> Any:  # the client is shared by all accounts, the breaker is not
            with self._breakers.guard(key):
                return sts.assume_role(**request)

        return ask

    def _refreshed(
        self, account: Account, purpose: Purpose, region: str, scope: Scope
    ) -> dict[str, str]:
        """Assume again, from within a client's call: what it raises must be botocore's kind too."""
        try:
            return self._credentials(account, purpose, region, scope)
        except CallError:  # held back by us, and of botocore's kind already
            raise
        except AccountError as error:
            raise CallError(
                str(error), permanent=error.permanent, retry_after=error.retry_after
            ) from None

    def _make(self, boto: boto3.Session, service: str, key: Key, session: _Session) -> Any:
        account, *_, purpose, _, _ = key
        client = self._connector.client(boto, service)
        self._throttle.attach(client, account, purpose)
        self._breakers.attach(client, account, purpose)
        term.attach(client)

        def after(parsed: Any, **_: Any) -> None:
            code = parsed.get("Error", {}).get("Code", "") if isinstance(parsed, dict) else ""
            if code in EXPIRED:
                self._forget(key)
            elif code in RENEWABLE and self._renewed(key, session):
                parsed.setdefault("ResponseMetadata", {})[RENEWED] = True

        client.meta.events.register("after-call", after, unique_id="towpath-expired")
        return client

    def _forget(self, key: Key) -> None:
        """Drop a session that AWS calls expired (revoked, or a clock is wrong); the next is new."""
        with self._cache_lock:
            self._cache.pop(key, None)

    def _renewed(self, key: Key, session: _Session) -> bool:
        """Drop a session that AWS refused; False where it is itself the replacement of such a one."""
        with self._cache_lock:
            if self._cache.get(key) is not session:  # another thread's refusal was quicker
                return True
            now = self._now()
            if session.renewed is not None and now - session.renewed < ONCE_IN:
                return False
            self._cache[key] = _Session(renewed=now)
            return True


def _key(account: Account, purpose: Purpose, region: str, scope: Scope) -> Key:
    """All that a session depends on, so that an account which was changed gets new ones."""
    policy = f"{account.artifact_bucket} {account.artifact_key}"
    role = account.role(purpose)
    return (account.name, account.id, role, account.external_id, policy, purpose, region, scope)
