"""A call goes out only where the lease covers it, and that is asked when it is about to be sent."""

from collections.abc import Iterator
from itertools import chain, repeat

import boto3
import pytest
from botocore.config import Config

from accounts import term
from accounts.errors import explain
from tests.support.loopback import Answer, Loopback, loopback


@pytest.fixture
def vendor() -> Iterator[Loopback]:
    with loopback(lambda _: Answer(body=b'{"deployments": []}')) as running:
        yield running


def client(vendor: Loopback, attempts: int = 3) -> object:
    made = boto3.client(
        "codedeploy", "eu-west-1", endpoint_url=vendor.url,
        aws_access_key_id="AKIDEXAMPLE", aws_secret_access_key="example",
        config=Config(retries={"mode": "standard", "total_max_attempts": attempts}),
    )  # fmt: skip
    term.attach(made)
    return made


@pytest.mark.parametrize(("left", "sent"), [(12.0, 1), (11.9, 0), (-3.0, 0)])
def test_a_call_is_sent_only_where_what_is_left_covers_it(
    vendor: Loopback, left: float, sent: int
) -> None:
    asking = client(vendor)
    refused: list[Exception] = []
    try:
        with term.within(term.Term(lambda: left, term.least(30))):
            asking.list_deployments()  # type: ignore[attr-defined]
    except term.OverdueError as error:
        refused.append(error)
    assert len(vendor.requests) == sent
    assert [explain(one, "look").postponed for one in refused] == [True] * (1 - sent)


def test_it_is_asked_anew_before_every_attempt() -> None:
    """A retry of the client's own is another call: what has run out meanwhile is not sent again."""
    with loopback(lambda _: Answer(503, b"{}")) as vendor:
        lefts = chain([30.0], repeat(0.0))
        with (
            term.within(term.Term(lambda: next(lefts), 12.0)),
            pytest.raises(term.OverdueError, match="left to whoever holds the lease next"),
        ):
            client(vendor).list_deployments()  # type: ignore[attr-defined]
    assert len(vendor.requests) == 1


def test_who_calls_without_a_lease_is_not_held_up(vendor: Loopback) -> None:
    with term.within(term.Term(lambda: -1.0, 1.0)):
        assert term.is_set()
    client(vendor).list_deployments()  # type: ignore[attr-defined]
    assert not term.is_set()
    assert len(vendor.requests) == 1


@pytest.mark.parametrize(("lease", "least"), [(30, 12), (24, 12), (10, 5), (2, 1)])
def test_of_a_short_lease_half_is_enough(lease: float, least: float) -> None:
    assert term.least(lease) == least
