"""A button's value can not be made or changed by anyone else."""

import base64
import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.notify.buttons import Press, read, sign

SEEN = "e" * 64
MOVE = Press("approve", "ex-42", "prod", "Sign-off", "token-1", SEEN)


def signed(move: Press, secret: str) -> str:
    return sign(*move[:5], secret, move.evidence)


SIGNED = signed(MOVE, "secret")


def test_what_was_signed_is_read() -> None:
    assert read(SIGNED, "secret") == MOVE
    older = MOVE._replace(evidence="")
    assert read(signed(older, "secret"), "secret") == older


@pytest.mark.parametrize("field", range(6))
def test_a_value_is_bound_to_every_field(field: int) -> None:
    other = list(MOVE)
    other[field] = "other"
    payload = signed(Press(*other), "forger").partition(".")[0]
    with pytest.raises(ValueError, match="not signed by this Towpath"):
        read(f"{payload}.{SIGNED.partition('.')[2]}", "secret")


@given(st.text(max_size=300) | st.binary(max_size=300).map(lambda raw: raw.decode("latin-1")))
def test_anything_else_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="not signed"):
        read(value, "secret")


@given(st.integers(0, len(SIGNED) - 1), st.characters(codec="ascii"))
def test_no_character_of_it_may_change(place: int, character: str) -> None:
    changed = SIGNED[:place] + character + SIGNED[place + 1 :]
    if changed != SIGNED:
        with pytest.raises(ValueError, match="not signed"):
            read(changed, "secret")


def test_nothing_else_signed_with_the_same_secret_passes_for_a_button() -> None:
    payload = SIGNED.partition(".")[0]
    plain = hmac.new(b"secret", payload.encode(), hashlib.sha256).digest()
    with pytest.raises(ValueError, match="not signed"):
        read(f"{payload}.{base64.urlsafe_b64encode(plain).decode()}", "secret")


def test_another_secret_does_not_read_it() -> None:
    with pytest.raises(ValueError, match="not signed"):
        read(SIGNED, "other")


def test_without_a_secret_nothing_is_signed_or_read() -> None:
    with pytest.raises(ValueError, match="no secret"):
        signed(MOVE, "")
    with pytest.raises(ValueError, match="no secret"):
        read(SIGNED, "")


def test_a_value_is_never_longer_than_slack_takes() -> None:
    with pytest.raises(ValueError, match="longer than 2000"):
        sign("approve", "ex-42", "prod", "Sign-off", "t" * 1_500, "secret")
    assert len(SIGNED) < 400
