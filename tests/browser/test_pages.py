"""Every page, full and empty, in the light and in the dark, on a desk and on a phone: axe finds nothing."""

from collections.abc import Iterator, Mapping

import pytest
from playwright.sync_api import Page

from controlplane.store.roles import Role
from tests.support.browsing import DESKTOP, PHONE, Visiting, everything
from tests.support.doors import Doors, served

LOOKS = (("light", DESKTOP), ("dark", DESKTOP), ("dark", PHONE), ("light", PHONE))
PAGES: Mapping[str, str] = {
    "fleet": "/",
    "rolled back": "/pipelines/shop",
    "an approval": "/pipelines/asks",
    "what an approver sees": "/executions/{asks}/stages/Gate/approval",
    "a bake": "/pipelines/unsure",
    "waves": "/pipelines/waved",
    "a failure": "/pipelines/fails",
    "a gate": "/pipelines/gated",
    "an execution": "/executions/{bad}",
    "freezes": "/freezes",
    "a freeze told": "/freezes?say=1&pipeline=shop&stage=Prod",
    "quarantine": "/quarantine",
    "accounts": "/accounts",
    "audit": "/audit",
    "unknown": "/pipelines/nope",
}
EMPTY = ("/", "/freezes", "/quarantine", "/accounts", "/audit?pipeline=nope")


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str, dict[str, str]]]:
    """The address, a token, and the executions that were rolled back, and that ask."""
    doors = Doors(tmp_path_factory.mktemp("full"))
    bad = everything(doors)
    with served(doors.app) as url:
        known = {"bad": bad, "asks": doors.house.rows("asks")[-1].id}
        yield url, doors.tokens[Role.ADMIN], known


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    doors = Doors(tmp_path_factory.mktemp("empty"))
    for account in ("dev", "prod"):
        doors.registry.remove(account)
    with served(doors.app) as url:
        yield url, doors.tokens[Role.ADMIN]


def overflow(page: Page) -> int:
    """Pixels that the page is wider than the window."""
    wide: int = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    return wide


def look_at(visit: Visiting, url: str, token: str, path: str) -> None:
    came = visit(url, token)
    page = came.go(path)
    for scheme, size in LOOKS:
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.set_viewport_size(size)  # type: ignore[arg-type]
        assert (scheme, size, came.violations()) == (scheme, size, "")
        assert overflow(page) <= 0, f"{path} scrolls sideways at {size['width']}"
    assert came.faults == []


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_for_everybody(
    visit: Visiting, full: tuple[str, str, dict[str, str]], page: str
) -> None:
    url, token, known = full
    look_at(visit, url, token, PAGES[page].format(**known))


@pytest.mark.parametrize("path", EMPTY)
def test_an_empty_page_is_for_everybody(visit: Visiting, empty: tuple[str, str], path: str) -> None:
    look_at(visit, *empty, path)


def test_the_way_in_is_for_everybody(visit: Visiting, empty: tuple[str, str]) -> None:
    look_at(visit, empty[0], "", "/login")
