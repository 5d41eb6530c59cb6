"""One browser for all; each visit has a context of its own."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.support.browsing import CHROMIUM, PATIENCE, Visit, Visiting, launched, visiting
from tests.support.doors import Doors

expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Where there is none the tests are skipped, which in CI is a failed run (tests/conftest.py)."""
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is not installed")
    with launched() as browser:
        yield browser


@pytest.fixture
def doors(tmp_path: Path) -> Doors:
    return Doors(tmp_path)


@pytest.fixture
def visit(chromium: Browser) -> Iterator[Visiting]:
    """Somebody comes with a browser; all of them leave at the end."""
    with ExitStack() as stack:

        def come(url: str, token: str = "", **more: Any) -> Visit:
            return stack.enter_context(visiting(chromium, url, token, **more))

        yield come
