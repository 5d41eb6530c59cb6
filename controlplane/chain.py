"""The audit log's chain: each entry names the hash of the one before it, so nothing can be bent unseen.

An entry is a JSON object. Its hash is SHA-256 over its canonical form without "hash": keys sorted, no spaces,
UTF-8 as it is. Anybody can compute it anew from an export, with nothing of ours. Who can rewrite the whole
table can also rewrite the chain: note its head (id and hash) elsewhere now and then, and verify against that.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

GENESIS = "0" * 64
"""What the first entry names as the one before it."""

DIGITS = 19
"""Of the largest id that a database counts to."""

Entry = Mapping[str, Any]


class Head(NamedTuple):
    """The newest entry that is known: its id and hash; 0 and GENESIS where there is none."""

    id: int = 0
    hash: str = GENESIS

    def __str__(self) -> str:
        return f"{self.id}:{self.hash}"


class BrokenChainError(Exception):
    """An entry is not what its hash, or its neighbour, says; the sentence names it."""


def hash_of(entry: Entry) -> str:
    """Answer the entry's hash, in hexadecimal."""
    said = {key: value for key, value in entry.items() if key != "hash"}
    text = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def verify(entries: Iterable[Entry], known: Head = Head()) -> Head:  # noqa: B008 - frozen
    """Walk the chain from a known head (that of the empty chain where left out); answer the last entry's.

    BrokenChainError at the first entry that was changed, taken out, put in or moved.
    """
    for entry in entries:
        number = entry.get("id")
        if number != known.id + 1:
            raise BrokenChainError(f"entry {known.id + 1} is missing: {number} comes next")
        if entry.get("previous") != known.hash:
            raise BrokenChainError(f"entry {number} does not go on from entry {known.id}")
        found = hash_of(entry)
        if entry.get("hash") != found:
            raise BrokenChainError(f"entry {number} was changed: its hash is {found} now")
        known = Head(number, found)
    return known


def parse_head(text: str) -> Head:
    """Read "ID:HASH" as `verify` prints it; ValueError with the mend."""
    number, _, digest = text.partition(":")
    if not (number.isascii() and number.isdigit() and len(number) <= DIGITS):
        raise ValueError("a head is ID:HASH, as `towpath audit verify` prints it")
    if len(digest) != len(GENESIS) or set(digest) - set("0123456789abcdef"):
        raise ValueError("the hash of a head has 64 hexadecimal digits")
    return Head(int(number), digest)
