"""Secrets that must be read again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.store.sealing import SealError, seal, unseal


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_what_was_sealed_is_read_again(text: str) -> None:
    assert unseal("s", "key a", seal("s", "key a", text)) == text


@pytest.mark.parametrize(("secret", "purpose"), [("other", "key a"), ("s", "key b")])
def test_another_secret_or_another_row_opens_nothing(secret: str, purpose: str) -> None:
    with pytest.raises(SealError):
        unseal(secret, purpose, seal("s", "key a", "text"))


def test_what_is_damaged_opens_nothing() -> None:
    with pytest.raises(SealError):
        unseal("s", "key a", "!")


def test_nothing_is_sealed_without_a_secret() -> None:
    with pytest.raises(SealError, match="TOWPATH_SECRET"):
        seal("", "key a", "text")
