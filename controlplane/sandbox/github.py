"""A GitHub that knows the webhooks of its repositories: as much of its REST API as Towpath uses.

For `httpx.MockTransport`. It refuses a wrong token, an unknown repository, and a second hook of one URL.
https://docs.github.com/en/rest/repos/webhooks
"""

import json
import re
from typing import Any

import httpx

PLACE = re.compile(r"/repos/([^/]+/[^/]+)/hooks(?:/([0-9]+))?")


class FakeGitHub:
    """hooks: by repository and id, as they were put, secrets included."""

    def __init__(self, token: str, *repositories: str) -> None:
        self.hooks: dict[str, dict[int, dict[str, Any]]] = {name: {} for name in repositories}
        self._token = token
        self._last = 0

    def transport(self) -> httpx.MockTransport:
        """What a client of it is made with."""
        return httpx.MockTransport(self._answer)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        place = PLACE.fullmatch(request.url.path)
        if request.headers.get("Authorization") != f"Bearer {self._token}":
            return httpx.Response(401, json={"message": "Bad credentials"})
        if place is None or place[1] not in self.hooks:
            return httpx.Response(404, json={"message": "Not Found"})
        hooks, number = self.hooks[place[1]], int(place[2] or 0)
        if number:
            return self._one(request, hooks, number)
        if request.method == "POST":
            return self._made(hooks, json.loads(request.content))
        shown = [{**hook, "id": id_, "config": _shown(hook)} for id_, hook in hooks.items()]
        first = (int(request.url.params.get("page", 1)) - 1) * 100
        return httpx.Response(200, json=shown[first : first + 100])

    def _made(self, hooks: dict[int, dict[str, Any]], given: dict[str, Any]) -> httpx.Response:
        if given["config"]["url"] in {hook["config"]["url"] for hook in hooks.values()}:
            return httpx.Response(422, json={"message": "Hook already exists on this repository"})
        self._last += 1
        hooks[self._last] = given
        return httpx.Response(201, json={"id": self._last})

    def _one(
        self, request: httpx.Request, hooks: dict[int, dict[str, Any]], number: int
    ) -> httpx.Response:
        if number not in hooks:
            return httpx.Response(404, json={"message": "Not Found"})
        if request.method == "DELETE":
            del hooks[number]
            return httpx.Response(204)
        hooks[number] |= json.loads(request.content)
        return httpx.Response(200, json={"id": number})


def _shown(hook: dict[str, Any]) -> dict[str, Any]:
    """GitHub never tells a secret."""
    return {k: "********" if k == "secret" else v for k, v in hook["config"].items()}
