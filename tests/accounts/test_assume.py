"""Names from declarations are spelled as STS takes them, whatever they are."""

from botocore.validate import validate_parameters
from hypothesis import given
from hypothesis import strategies as st

from accounts.assume import request
from accounts.base import Scope
from accounts.models import Purpose
from tests.accounts.fake_sts import NAME, SHAPE
from tests.support.clients import account

TEXT = st.text(max_size=400)


@given(TEXT, TEXT, TEXT, TEXT)
def test_any_scope_makes_a_request_that_sts_takes(p: str, s: str, e: str, who: str) -> None:
    asked = request(account(), Purpose.DEPLOY, Scope(p, s, e, requester=who), "{}")
    validate_parameters(asked, SHAPE)
    assert NAME.fullmatch(asked["RoleSessionName"])
    assert NAME.fullmatch(asked["SourceIdentity"])
    assert all(len(tag["Value"]) <= 256 for tag in asked["Tags"])


def test_names_of_other_scripts_stay_readable_in_tags() -> None:
    asked = request(account(), Purpose.DEPLOY, Scope("Größe 店", "a,b"), "{}")
    assert [tag["Value"] for tag in asked["Tags"]] == ["Größe 店", "a_b"]


def test_an_empty_scope_has_no_tags_and_still_a_source_identity() -> None:
    asked = request(account(), Purpose.WATCH, Scope(), "{}")
    assert (asked["Tags"], asked["SourceIdentity"]) == ([], "towpath")
