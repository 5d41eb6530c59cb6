"""The REST API as a program of ours asks it, and what it raises where it is refused."""

import os
import re
import time
from collections.abc import Callable
from enum import IntEnum
from typing import Any

import httpx


class Exit(IntEnum):
    """Exit codes that scripts can rely on."""

    WELL = 0
    REFUSED = 1
    USAGE = 2
    FAILED = 3
    WAITING = 4
    UNREACHABLE = 5
    CANCELLED = 6
    TIMED_OUT = 7
    INTERRUPTED = 130


class ApiError(Exception):
    """It was refused, or nobody answered: the sentence for a person, the code for scripts."""

    def __init__(self, message: str, code: Exit = Exit.REFUSED) -> None:
        super().__init__(message)
        self.code = code


class UnansweredError(ApiError):
    """Nobody answered, or somebody in between: it may be asked again, where asking changes nothing."""


STRANGE = re.compile(r"[^!-~]|[?#%\\]|/\.\.?(/|$)")
"""In a path: what would make another address of it."""
TRIES = 4
LONGEST_PAUSE = 30.0
"""Seconds; a server that wants more is not waited for."""


class Api:
    """A thin client: TOWPATH_URL and TOWPATH_TOKEN say where and who.

    Where the server says when to ask again (429, or 503 to a question), it is asked again, a few times.
    """

    def __init__(
        self,
        url: str = "",
        token: str = "",
        *,
        pause: Callable[[float], object] = time.sleep,  # noqa: TID251 - between two tries
        patience: float = 30.0,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.url = (url or os.environ.get("TOWPATH_URL", "http://127.0.0.1:8640")).rstrip("/")
        secret = token or os.environ.get("TOWPATH_TOKEN", "")
        if not secret.isascii():
            raise ApiError("TOWPATH_TOKEN is no token: it has other letters", Exit.UNREACHABLE)
        try:
            self._http = httpx.Client(
                base_url=f"{self.url}/api/v1",
                headers={"Authorization": f"Bearer {secret}"} if secret else {},
                timeout=patience,
                transport=transport,
            )
        except httpx.InvalidURL as error:
            raise ApiError(f"TOWPATH_URL is no address: {error}", Exit.UNREACHABLE) from error
        self.pause = pause

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def get(self, path: str, **params: Any) -> Any:
        """Read; ApiError with the server's own sentence for anything but 2xx."""
        return self._ask("GET", path, params=params)

    def send(self, method: str, path: str, document: Any = None) -> Any:
        """Act with a JSON document."""
        return self._ask(method, path, json=document)

    def put_text(self, path: str, text: str, kind: str) -> Any:
        """Send a text as it is."""
        return self._ask("PUT", path, content=text.encode(), headers={"Content-Type": kind})

    def _ask(self, method: str, path: str, **more: Any) -> Any:
        answer = self._request(method, path, **more)
        for _ in range(TRIES - 1):
            pause = _pause_of(answer, method)
            if pause is None:
                break
            self.pause(pause)
            answer = self._request(method, path, **more)
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            raise ApiError(f"{_said(answer)} (is TOWPATH_TOKEN set?)", Exit.UNREACHABLE)
        if answer.is_server_error:
            raise UnansweredError(_said(answer))
        if answer.is_error:
            raise ApiError(_said(answer))
        if not answer.content:
            return None
        is_json = "json" in answer.headers.get("content-type", "")
        try:
            return answer.json() if is_json else answer.text
        except ValueError:
            said = f"what answers at {self.url} is no Towpath: its answer is no JSON"
            raise ApiError(said, Exit.UNREACHABLE) from None

    def _request(self, method: str, path: str, **more: Any) -> httpx.Response:
        if STRANGE.search(path):
            raise ApiError(f"{path!r}: no name of Towpath's has such letters", Exit.USAGE)
        try:
            return self._http.request(method, path, **more)
        except httpx.HTTPError as error:
            said = f"Towpath at {self.url} cannot be reached: {error}"
            raise UnansweredError(said, Exit.UNREACHABLE) from error


def _pause_of(answer: httpx.Response, method: str) -> float | None:
    """Seconds until it may be asked again; None where it must not be.

    A 429 means that nothing was done. A 503 may have been in the middle of it: only reading is repeated.
    """
    refused = answer.status_code == httpx.codes.TOO_MANY_REQUESTS
    away = answer.status_code == httpx.codes.SERVICE_UNAVAILABLE and method == "GET"
    told = answer.headers.get("retry-after", "")
    if not (refused or away) or not (told.isascii() and told.isdecimal()):
        return None
    return float(told) if float(told) <= LONGEST_PAUSE else None


def _said(answer: httpx.Response) -> str:
    """The server's own words: problem+json's title, detail, and each problem on a line."""
    try:
        document = answer.json()
    except ValueError:
        document = None
    if not isinstance(document, dict):
        return f"HTTP {answer.status_code}: {answer.text[:500]}"
    problems = [_line(problem) for problem in document.get("problems") or []]
    detail = str(document.get("detail") or document.get("title") or answer.status_code)
    return "\n".join(problems or [detail])


def _line(problem: Any) -> str:
    if not isinstance(problem, dict):
        return str(problem)
    place = ":".join(str(problem.get(key, "")) for key in ("file", "line", "column"))
    field = f"{problem['field']}: " if problem.get("field") else ""
    return f"{place}: {field}{problem.get('message', '')}"
