"""What a form carries of its session's secret, and what answers look like over the wire."""

from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.console.csrf import SIZE, masked, unmasked
from controlplane.store.roles import Role
from tests.support.doors import Doors


@given(st.binary(min_size=SIZE, max_size=SIZE))
def test_a_token_comes_back_from_under_any_mask(token: bytes) -> None:
    assert unmasked(masked(token.hex())) == token.hex()


@given(st.text(max_size=140) | st.binary(max_size=2 * SIZE - 1).map(bytes.hex))
def test_what_is_nothing_of_ours_is_no_token(given: str) -> None:
    assert unmasked(given) == ""


def csrf_of(page: str) -> str:
    return page.split('name="csrf" value="')[1].split('"', maxsplit=1)[0]


@pytest.fixture
def browser(tmp_path: Path) -> httpx.Client:
    return Doors(tmp_path).browser(Role.VIEWER)


def test_each_answer_has_a_mask_of_its_own_and_one_secret_under_it(browser: httpx.Client) -> None:
    one, two = (csrf_of(browser.get("/freezes").text) for _ in range(2))
    assert one != two and unmasked(one) == unmasked(two) != ""


def test_pages_and_files_come_compressed_to_whom_asks(browser: httpx.Client) -> None:
    for path in ("/", "/static/app.css"):
        answer = browser.get(path, headers={"accept-encoding": "gzip"})
        assert answer.headers["content-encoding"] == "gzip"
        assert "accept-encoding" in answer.headers["vary"].lower()
        plain = browser.get(path, headers={"accept-encoding": "identity"})
        assert "content-encoding" not in plain.headers
