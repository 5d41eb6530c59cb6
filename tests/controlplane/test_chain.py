"""The audit log's chain: whatever is done to an entry, or to their order, is found."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.chain import GENESIS, BrokenChainError, Head, hash_of, parse_head, verify

TEXTS = st.lists(st.text(max_size=20), min_size=2, max_size=8)


def chained(texts: list[str]) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = []
    previous = GENESIS
    for number, text in enumerate(texts, start=1):
        entry: dict[str, Any] = {"id": number, "text": text, "data": {"a": 1.5}}
        entry["previous"] = previous
        previous = entry["hash"] = hash_of(entry)
        entries.append(entry)
    return entries


@given(TEXTS)
def test_a_chain_that_nobody_touched_is_whole(texts: list[str]) -> None:
    entries = chained(texts)
    assert verify(entries) == Head(len(entries), entries[-1]["hash"])
    assert verify([]) == Head()


@given(TEXTS, st.data())
def test_a_changed_a_missing_and_a_moved_entry_are_found(texts: list[str], data: Any) -> None:
    entries = chained(texts)
    at = data.draw(st.integers(0, len(entries) - 2))
    changed = copy.deepcopy(entries)
    changed[at]["text"] += "!"
    moved = [*entries[:at], entries[at + 1], entries[at], *entries[at + 2 :]]
    for bent in (changed, entries[:at] + entries[at + 1 :], moved):
        with pytest.raises(BrokenChainError):
            verify(bent)


def test_who_rewrites_the_whole_chain_has_another_head() -> None:
    mine, forged = chained(["a", "b"]), chained(["a", "c"])
    assert verify(mine) != verify(forged)


@given(st.integers(0, 10**18), st.binary(min_size=32, max_size=32))
def test_a_head_is_read_as_it_is_printed(number: int, digest: bytes) -> None:
    head = Head(number, digest.hex())
    assert parse_head(str(head)) == head


@pytest.mark.parametrize(
    "text", ["", "1", "x:" + GENESIS, "1:abc", "1:" + "G" * 64, "²:" + GENESIS]
)
def test_what_is_no_head_is_refused_with_the_mend(text: str) -> None:
    with pytest.raises(ValueError, match="hea"):
        parse_head(text)
