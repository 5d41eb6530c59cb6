import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.actions.base import ActionError
from controlplane.actions.s3_content import LARGEST, Digester, Place, place_of, stored_digest
from tests.controlplane.actions.fake_s3 import FakeS3
from tests.controlplane.actions.making import digest_of

CHECKSUM = base64.b64encode(hashlib.sha256(b"x").digest()).decode()


def test_the_checksum_of_the_whole_object_is_its_digest() -> None:
    head = {"ChecksumSHA256": CHECKSUM, "ChecksumType": "FULL_OBJECT"}
    assert stored_digest(head) == digest_of(b"x")


@pytest.mark.parametrize(
    "head",
    [
        {},
        {"ChecksumSHA256": CHECKSUM, "ChecksumType": "COMPOSITE"},
        {"ChecksumSHA256": f"{CHECKSUM}-3"},
        {"ChecksumSHA256": "!!!"},
        {"ChecksumSHA256": base64.b64encode(b"short").decode()},
    ],
)
def test_anything_else_is_no_digest(head: dict[str, str]) -> None:
    assert stored_digest(head) == ""


@pytest.mark.parametrize("location", ["", "s3://", "s3://bucket", "s3://bucket/", "http://b/k"])
def test_what_is_no_object_is_said(location: str) -> None:
    with pytest.raises(ActionError, match="not an object in S3") as caught:
        place_of(location)
    assert caught.value.permanent


@given(st.binary(max_size=64), st.integers(min_value=1, max_value=70))
def test_hashing_in_pieces_is_hashing(content: bytes, budget: int) -> None:
    s3, place = FakeS3(), Place("b", "k", "v1")
    s3.put("b", "k", content)
    digester, digest, calls = Digester(budget), "", 0
    while not digest:
        digest, calls = digester.advance(s3, "t", place, len(content)), calls + 1
    assert digest == digest_of(content)
    assert calls == max(1, -(-len(content) // budget))


def test_two_actions_may_hash_the_same_object_at_once() -> None:
    s3, place, digester = FakeS3(), Place("b", "k", "v1"), Digester(2)
    s3.put("b", "k", b"abc")
    assert digester.advance(s3, "one", place, 3) == ""
    assert digester.advance(s3, "two", place, 3) == ""
    assert digester.advance(s3, "one", place, 3) == digest_of(b"abc")
    assert digester.advance(s3, "two", place, 3) == digest_of(b"abc")


def test_what_was_begun_for_one_object_is_not_taken_for_another() -> None:
    s3, digester = FakeS3(), Digester(2)
    s3.put("b", "one", b"abc")
    s3.put("b", "two", b"xyz")
    assert digester.advance(s3, "t", Place("b", "one"), 3) == ""
    assert digester.advance(s3, "t", Place("b", "two"), 3) == ""
    assert digester.advance(s3, "t", Place("b", "two"), 3) == digest_of(b"xyz")


def test_what_breaks_off_may_be_tried_again_from_the_start() -> None:
    s3, place, digester = FakeS3(), Place("b", "k", "v1"), Digester()
    s3.put("b", "k", b"abc")
    with pytest.raises(ActionError, match="broke off") as caught:
        digester.advance(s3, "t", place, 5)
    assert not caught.value.permanent
    assert digester.advance(s3, "t", place, 3) == digest_of(b"abc")


def test_a_monster_is_refused_before_it_is_read() -> None:
    s3 = FakeS3()
    with pytest.raises(ActionError, match="100 GiB"):
        Digester().advance(s3, "t", Place("b", "k"), LARGEST + 1)
    assert not s3.asked
