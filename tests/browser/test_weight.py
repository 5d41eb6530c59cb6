"""What the first load of a page weighs, as the browser counts it: bytes over the wire, headers and all."""

from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import pytest
from playwright.sync_api import expect
from sqlalchemy import select, update

from controlplane.store.ledger import LEDGER
from controlplane.store.roles import Role
from tests.support.browsing import Visit, Visiting, everything
from tests.support.doors import Doors, served
from tests.support.house import deploying, pipeline, source

MOST = 60_000
PIPELINES, STAGES = 25, 8


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str, str]]:
    """A whole page of pipelines, each with many stages that deploy, and no two with the same digest."""
    doors = Doors(tmp_path_factory.mktemp("large"))
    bad = everything(doors)
    for number in range(PIPELINES):
        stages = (deploying(f"stage-{number}-{n}", watched=False) for n in range(STAGES))
        doors.house.apply(pipeline(source(), *stages, name=f"a-{number}"))
        doors.house.start(f"a-{number}")
    with doors.house.database.begin() as connection:
        for (row,) in connection.execute(select(LEDGER.c.id)).all():
            digest = f"sha256:{sha256(str(row).encode()).hexdigest()}"
            connection.execute(update(LEDGER).where(LEDGER.c.id == row).values(digest=digest))
    with served(doors.app) as url:
        yield url, doors.tokens[Role.ADMIN], bad


def weight_of(came: Visit, path: str) -> int:
    """Bytes of a first load, the live stream left out: it goes on for as long as the page is open."""
    network = came.page.context.new_cdp_session(came.page)
    heard: dict[str, int] = {}
    streams: set[str] = set()

    def answered(event: dict[str, Any]) -> None:
        if event["type"] in ("EventSource", "Fetch"):
            streams.add(event["requestId"])

    def loaded(event: dict[str, Any]) -> None:
        heard[event["requestId"]] = event["encodedDataLength"]

    network.on("Network.responseReceived", answered)
    network.on("Network.loadingFinished", loaded)
    network.send("Network.enable")
    came.go(path)
    came.page.wait_for_load_state("load")
    assert heard
    return sum(size for request, size in heard.items() if request not in streams)


@pytest.mark.parametrize(
    ("path", "mark"),
    [
        ("/", "a-9"),
        ("/pipelines/a-0", f"stage-0-{STAGES - 1}"),
        ("/executions/{bad}", "Why it went as it did"),
        ("/audit", "Audit"),
    ],
)
def test_a_first_load_is_light(
    large: tuple[str, str, str], visit: Visiting, path: str, mark: str
) -> None:
    url, token, bad = large
    came = visit(url, token)
    weight = weight_of(came, path.format(bad=bad))
    expect(came.page.get_by_role("heading", name=mark, exact=True)).to_be_visible()
    assert 5_000 < weight <= MOST
