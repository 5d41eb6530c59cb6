"""The API as the command line uses it. Exit codes: 0 well, 1 refused, 2 usage, 3 failed or rolled back,
4 waits for an approval, 5 Towpath cannot be reached or does not know us.
"""

import os
from enum import IntEnum
from typing import Any, NoReturn

import httpx
import typer


class Exit(IntEnum):
    """What scripts can rely on."""

    WELL = 0
    REFUSED = 1
    USAGE = 2
    FAILED = 3
    WAITING = 4
    UNREACHABLE = 5


class Api:
    """A thin client: TOWPATH_URL and TOWPATH_TOKEN say where and who."""

    def __init__(self, url: str = "", token: str = "") -> None:
        self.url = (url or os.environ.get("TOWPATH_URL", "http://127.0.0.1:8640")).rstrip("/")
        secret = token or os.environ.get("TOWPATH_TOKEN", "")
        self._http = httpx.Client(
            base_url=f"{self.url}/api/v1",
            headers={"Authorization": f"Bearer {secret}"} if secret else {},
            timeout=30.0,
        )

    def get(self, path: str, **params: Any) -> Any:
        """Read; anything but 2xx ends the command with the server's own sentence."""
        return self._ask("GET", path, params=params)

    def send(self, method: str, path: str, document: Any = None) -> Any:
        """Act with a JSON document."""
        return self._ask(method, path, json=document)

    def put_text(self, path: str, text: str, kind: str) -> Any:
        """Send a text as it is."""
        return self._ask("PUT", path, content=text.encode(), headers={"Content-Type": kind})

    def _ask(self, method: str, path: str, **more: Any) -> Any:
        try:
            answer = self._http.request(method, path, **more)
        except httpx.HTTPError as error:
            fail(f"Towpath at {self.url} cannot be reached: {error}", Exit.UNREACHABLE)
        if answer.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            fail(f"{_said(answer)} (is TOWPATH_TOKEN set?)", Exit.UNREACHABLE)
        if answer.is_error:
            fail(_said(answer), Exit.REFUSED)
        if not answer.content:
            return None
        is_json = "json" in answer.headers.get("content-type", "")
        return answer.json() if is_json else answer.text


def _said(answer: httpx.Response) -> str:
    """The server's own words: problem+json's title, detail, and each problem on a line."""
    try:
        document = answer.json()
    except ValueError:
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


def fail(message: str, code: Exit) -> NoReturn:
    """End the command: the sentence on stderr, the code for scripts."""
    typer.echo(message, err=True)
    raise typer.Exit(code)
