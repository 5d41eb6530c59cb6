"""Webhooks at GitHub: made, brought up to date and taken away by its REST API. One for each URL.

https://docs.github.com/en/rest/repos/webhooks
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

import httpx

from monitors.web import TooLargeError, TooSlowError, fetch

LIMIT = 1024 * 1024
WITHIN = timedelta(seconds=10)
PAGE, PAGES = 100, 5
"""Hooks that are looked through for ours; GitHub lets a repository have 20 for each event."""
REPOSITORY = re.compile(r"[A-Za-z0-9_.-]{1,100}/[A-Za-z0-9_.-]{1,100}")
EVENTS = ["push"]


class HookError(Exception):
    """The third party was not asked, or refused; the message is a sentence with the mend."""


class Hooks(Protocol):
    """Whoever makes webhooks at a third party."""

    def put(self, repository: str, url: str, secret: str) -> None:
        """Make it, or give the one with this URL this secret; HookError."""
        ...

    def remove(self, repository: str, url: str) -> None:
        """Take it away; one that is not there is no fault. HookError."""
        ...


@dataclass(frozen=True, slots=True)
class GitHub:
    """GitHub, or an Enterprise Server. url: of its API; token: may administer the repositories' hooks."""

    http: httpx.Client
    now: Callable[[], datetime]
    url: str
    token: str = field(repr=False)

    def put(self, repository: str, url: str, secret: str) -> None:
        """As `Hooks`."""
        config = {"url": url, "content_type": "json", "insecure_ssl": "0"}
        if secret:
            config["secret"] = secret
        wanted = {"active": True, "events": EVENTS, "config": config}
        there = self._find(repository, url)
        if there is None:
            self._ask("POST", _hooks(repository), {"name": "web", **wanted}, 201)
        else:
            self._ask("PATCH", f"{_hooks(repository)}/{there}", wanted, 200)

    def remove(self, repository: str, url: str) -> None:
        """As `Hooks`."""
        there = self._find(repository, url)
        if there is not None:
            self._ask("DELETE", f"{_hooks(repository)}/{there}", None, 204, 404)

    def _find(self, repository: str, url: str) -> int | None:
        for page in range(1, PAGES + 1):
            place = f"{_hooks(repository)}?per_page={PAGE}&page={page}"
            found = self._ask("GET", place, None, 200)
            try:
                ours = [int(one["id"]) for one in found if one["config"].get("url") == url]
            except (TypeError, KeyError, AttributeError, ValueError):
                raise HookError("GitHub answered what is no list of webhooks") from None
            if ours:
                return ours[0]
            if len(found) < PAGE:
                break
        return None

    def _ask(self, method: str, place: str, body: Any, *well: int) -> Any:
        if not self.token:
            raise HookError(
                "There is no token to ask GitHub with: set TOWPATH_GITHUB_TOKEN to one that may "
                "administer the repository's webhooks (or put the webhook's URL in there by hand)"
            )
        headers = {
            "Accept": "application/vnd.github+json",
            "Authorization": f"Bearer {self.token}",
            "X-GitHub-Api-Version": "2022-11-28",
        }
        address = f"{self.url.rstrip('/')}{place}"
        request = self.http.build_request(method, address, headers=headers, json=body)
        try:
            answer = fetch(self.http, request, self.now, limit=LIMIT, within=WITHIN)
        except (httpx.HTTPError, TooLargeError, TooSlowError) as error:
            raise HookError(f"GitHub could not be reached ({type(error).__name__})") from error
        if answer.status not in well:
            raise HookError(_refused(answer.status, answer.body))
        return _read(answer.body) if answer.body else None


def _hooks(repository: str) -> str:
    if not REPOSITORY.fullmatch(repository) or ".." in repository:
        raise HookError("The source action names no repository as owner/name")
    return f"/repos/{repository}/hooks"


def _read(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise HookError("GitHub answered what is no JSON") from None


def _refused(status: int, body: bytes) -> str:
    try:
        said = str(json.loads(body)["message"])[:200]
    except (ValueError, RecursionError, TypeError, KeyError):
        said = "it gave no reason"
    mends = {401: "the token is not valid", 404: "no such repository, or the token may not see it"}
    mend = mends.get(status, "see the token's rights (repository webhooks: read and write)")
    return f"GitHub refused with HTTP {status} ({said}): {mend}"
