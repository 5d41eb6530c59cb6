"""The client waits where the server says so, a few times, and never repeats what may have been done."""

import httpx
import pytest

from controlplane.client.api import Api, ApiError


class Server:
    """Answers one thing after the other, the last for ever; remembers how often it was asked."""

    def __init__(self, *answers: httpx.Response) -> None:
        self.answers = list(answers)
        self.asked = 0
        self.pauses: list[float] = []

    def __call__(self, _: httpx.Request) -> httpx.Response:
        self.asked += 1
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def api(self) -> Api:
        return Api("http://towpath", pause=self.pauses.append, transport=httpx.MockTransport(self))


def refusal(status: int, after: str = "") -> httpx.Response:
    headers = {"Retry-After": after} if after else {}
    return httpx.Response(status, json={"detail": "later"}, headers=headers)


WELL = httpx.Response(200, json=["here"])


@pytest.mark.parametrize("status", [429, 503])
def test_what_may_be_asked_again_is_after_the_time_that_the_server_says(status: int) -> None:
    server = Server(refusal(status, "7"), WELL)
    assert server.api().get("/pipelines") == ["here"]
    assert server.pauses == [7.0]


def test_it_gives_up_after_a_few_tries() -> None:
    server = Server(refusal(429, "1"))
    with pytest.raises(ApiError, match="later"):
        server.api().get("/pipelines")
    assert (server.asked, server.pauses) == (4, [1.0] * 3)


def test_a_move_that_was_refused_is_made_again_and_one_that_may_be_made_is_not() -> None:
    refused, away = Server(refusal(429, "1"), WELL), Server(refusal(503, "1"), WELL)
    assert refused.api().send("POST", "/pipelines/shop/executions") == ["here"]
    with pytest.raises(ApiError, match="later"):
        away.api().send("POST", "/pipelines/shop/executions")
    assert away.asked == 1


@pytest.mark.parametrize("after", ["", "3600", "Fri, 27 Nov 2026 06:00:00 GMT", "-1", "²"])
def test_a_time_that_is_none_or_too_long_is_not_waited_for(after: str) -> None:
    server = Server(httpx.Response(429, headers=[(b"retry-after", after.encode("latin-1"))]))
    with pytest.raises(ApiError, match="429"):
        server.api().get("/pipelines")
    assert (server.asked, server.pauses) == (1, [])


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(404, json=["other"]),
        httpx.Response(200, content=b"{", headers={"content-type": "application/json"}),
    ],
)
def test_what_is_no_towpath_is_a_sentence(answer: httpx.Response) -> None:
    with pytest.raises(ApiError, match=r"HTTP 404|no Towpath"):
        Server(answer).api().get("/pipelines")


@pytest.mark.parametrize("name", ["a?b", "a b", "a\x01", "../tokens", "a%2Fb"])
def test_a_name_that_would_be_another_address_is_not_asked_for(name: str) -> None:
    server = Server(WELL)
    with pytest.raises(ApiError, match="no name"):
        server.api().get(f"/pipelines/{name}")
    assert server.asked == 0


@pytest.mark.parametrize("url", ["http://[::1", "http://a\nb"])
def test_an_address_that_is_none_is_a_sentence(url: str) -> None:
    with pytest.raises(ApiError, match="TOWPATH_URL"):
        Api(url)
