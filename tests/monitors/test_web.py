from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitors.web import checked


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest",
        "http://[::ffff:169.254.169.254]/",
        "http://[fe80::1]/",
        "http://2852039166/",
        "http://0xa9fea9fe/",
        "http://[fd00:ec2::254]/",
        "file:///etc/passwd",
        "http://",
        "//host/path",
        "http://user:secret@host/",
        "",
    ],
)
def test_an_address_that_may_not_be_asked_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        checked(url)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080/x", "https://shop.example.com"])
def test_an_ordinary_address_is_given_back(url: str) -> None:
    assert checked(url) == url


def test_a_password_is_not_told_in_the_refusal() -> None:
    with pytest.raises(ValueError, match="user name or password") as raised:
        checked("http://me:s3cret@host/")
    assert "s3cret" not in str(raised.value)


@given(st.text() | st.text().map(lambda rest: f"http://{rest}"))
def test_any_text_is_given_back_or_refused_with_a_value_error(url: str) -> None:
    with suppress(ValueError):
        assert checked(url) == url
