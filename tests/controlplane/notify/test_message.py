"""The document that machines read."""

import json

from hypothesis import given
from hypothesis import strategies as st

from controlplane.notify.message import cut, document, encoded, headline, units
from tests.controlplane.notify.notes import huge, note

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=200)


def test_the_document_has_the_documented_shape() -> None:
    assert document(note()) == {
        "version": "1",
        "id": "evt_1",
        "kind": "stage.failed",
        "at": "2026-01-05T09:00:00Z",
        "pipeline": "shop",
        "execution": "ex-42",
        "stage": "prod",
        "severity": "warning",
        "title": "prod failed",
        "text": "The alarm shop-prod-errors is in ALARM.\n\nline 1\nline 2",
        "digest": "sha256:0123456789abcdef",
        "status": "Failed",
        "url": "https://deploy.example/p/shop/ex-42",
    }


def test_a_huge_note_stays_under_half_of_what_sns_takes() -> None:
    written = encoded(huge())
    assert written.isascii()
    assert len(written) < 128 * 1024
    assert json.loads(written)["text"].endswith("…")


@given(text=ANY_TEXT, most=st.integers(1, 50), tail=st.booleans())
def test_cut_text_fits_and_says_that_it_was_cut(text: str, most: int, *, tail: bool) -> None:
    short = cut(text, most, tail=tail)
    assert units(short) <= most
    if units(text) > most:
        assert (short.startswith if tail else short.endswith)("…")


@given(ANY_TEXT)
def test_text_that_fits_is_kept_but_for_half_characters(text: str) -> None:
    assert cut(text, 400) == text.encode("utf-8", "replace").decode()


def test_the_pipeline_is_named_once() -> None:
    assert headline(note(title="prod failed")) == "shop: prod failed"
    assert headline(note(title="shop · prod: stage failed")) == "shop · prod: stage failed"


def test_a_tail_keeps_the_end() -> None:
    assert cut("first line, last line", 10, tail=True) == "…last line"
