"""Requests to a Git host: with its token, bounded, and never followed to where the token may not go."""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx

from controlplane.actions.base import ActionError
from controlplane.settings import GitHost

MOST = 8 * 1024 * 1024
"""Bytes of an answer that is read."""
MOST_HOPS = 3
TIMEOUT = httpx.Timeout(15.0, connect=3.0)
OK, MOVED, BUSY, SERVER = 200, range(300, 400), frozenset({408, 425, 429}), 500
MISSING = frozenset({404, 409, 422})
"""Not there, an empty repository, or no commit of that name."""
REPOSITORY = re.compile(r"[A-Za-z0-9_.~-]+(/[A-Za-z0-9_.~-]+)+")
SHA = re.compile(r"[0-9a-fA-F]{7,64}")


class NotThereError(ActionError):
    """The host knows no such thing, or does not tell this token of it."""


class Asking:
    """One host's API. environ: where its token is looked up, by the name that the settings say."""

    def __init__(
        self, http: httpx.Client, name: str, settings: GitHost, environ: Mapping[str, str]
    ) -> None:
        """Take the client, and what the settings say of the host."""
        self._http, self._environ = http, environ
        self.name, self.settings = name, settings

    def secret(self) -> str:
        """Look up what its webhooks are signed by."""
        return self._environ.get(self.settings.secret_env, "") if self.settings.secret_env else ""

    def json(self, path: str, **query: str) -> Any:
        """Answer what a GET says; NotThereError for what is not there."""
        with self._answer(f"{self.settings.address}{path}", query) as answer:
            body = b""
            for chunk in answer.iter_bytes():
                body += chunk
                if len(body) > MOST:
                    raise ActionError(f"{self.name} answered over {MOST} bytes.", permanent=True)
        try:
            return json.loads(body)
        except (ValueError, RecursionError):
            raise ActionError(f"{self.name} answered what is no JSON.") from None

    @contextmanager
    def stream(self, url: str) -> Iterator[Iterator[bytes]]:
        """Answer the body as it comes."""
        try:
            with self._answer(url, {}) as answer:
                yield answer.iter_bytes(1024 * 1024)
        except httpx.HTTPError as error:
            raise self._away(error) from None

    @contextmanager
    def _answer(self, url: str, query: Mapping[str, str]) -> Iterator[httpx.Response]:
        """Follow redirects by hand: an archive lies on another host, which the token is not for."""
        headers = {"User-Agent": "towpath", "Accept": "application/json", **self._token()}
        try:
            for _ in range(MOST_HOPS):
                with self._http.stream(
                    "GET", url, params=query or None, headers=headers, timeout=TIMEOUT,
                    follow_redirects=False,
                ) as answer:  # fmt: skip
                    if answer.status_code == OK:
                        yield answer
                        return
                    self._refuse(answer)
                    following = httpx.URL(url).join(answer.headers.get("Location", ""))
                if following.scheme != "https" and httpx.URL(url).scheme == "https":
                    raise ActionError(f"{self.name} leads away from https.", permanent=True)
                if following.host != httpx.URL(url).host:
                    headers.pop("Authorization", None)
                    headers.pop("PRIVATE-TOKEN", None)
                url, query = str(following), {}
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise self._away(error) from None
        raise ActionError(f"{self.name} redirects more than {MOST_HOPS} times.", permanent=True)

    def _token(self) -> dict[str, str]:
        variable = self.settings.token_env
        token = self._environ.get(variable, "") if variable else ""
        if not token:
            said = f"set the environment variable {variable}" if variable else "say its tokenEnv"
            raise ActionError(
                f"There is no token for the Git host {self.name} of TOWPATH_GIT: {said}.",
                permanent=True,
            )
        if self.settings.kind == "gitlab":
            return {"PRIVATE-TOKEN": token}
        return {"Authorization": f"Bearer {token}"}

    def _refuse(self, answer: httpx.Response) -> None:
        status = answer.status_code
        told = answer.headers
        limited = told.get("x-ratelimit-remaining") == "0" or "Retry-After" in told
        if status in MOVED and answer.headers.get("Location"):
            return
        if status in BUSY or status >= SERVER or (status == 403 and limited):  # noqa: PLR2004
            after = answer.headers.get("Retry-After", "")
            wait = min(float(after), 3600.0) if after.isdigit() else None
            raise ActionError(f"{self.name} answered {status}.", retry_after=wait)
        if status in MISSING:
            raise NotThereError(
                f"{self.name} knows no {answer.request.url.path}, or its token may not read it.",
                permanent=True,
            )
        mend = f"give the token in {self.settings.token_env} the right to read the repository"
        raise ActionError(f"{self.name} refused ({status}): {mend}.", permanent=True)

    def _away(self, error: Exception) -> ActionError:
        return ActionError(f"{self.name} can not be reached ({type(error).__name__}).")


def repository(text: str) -> str:
    """Check a FullRepositoryName before it becomes a part of a path."""
    if not REPOSITORY.fullmatch(text) or ".." in text.split("/"):
        raise ActionError(f"{text!r} is no repository, such as team/shop.", permanent=True)
    return text


def sha(text: str) -> str:
    """Check a commit's id before it becomes a part of a path."""
    if not SHA.fullmatch(text):
        raise ActionError(f"{text!r} is no id of a commit.", permanent=True)
    return text.lower()
