"""Claims -> who that is: whose word counts, and what no text may do."""

from typing import Any

import pytest

from controlplane.engine.refusals import Person
from controlplane.identity.errors import IdentityError
from controlplane.identity.people import of_build, of_login
from controlplane.settings import GrantSetting, JwtRule, Oidc

OIDC = Oidc(issuer="https://id.example", client_id="t", name_claim="email")
ANYBODY = {"*": (GrantSetting(role="viewer"),)}
ANNE = {"sub": "u1", "email": "anne@example.com"}


@pytest.mark.parametrize("said", [False, "false"])
def test_an_address_that_is_not_proven_is_nobodys_name(said: Any) -> None:
    with pytest.raises(IdentityError, match="email_verified") as found:
        of_login(OIDC, ANYBODY, {**ANNE, "email_verified": said})
    assert found.value.status == 403


@pytest.mark.parametrize("more", [{}, {"email_verified": True}, {"email_verified": "true"}])
def test_one_that_is_proven_or_of_which_nothing_is_said_counts(more: dict[str, Any]) -> None:
    assert of_login(OIDC, ANYBODY, {**ANNE, **more}).name == "anne@example.com"


def test_any_subject_is_somebody() -> None:
    odd = of_login(OIDC, ANYBODY, {**ANNE, "sub": "\ud800"})
    assert odd.person != of_login(OIDC, ANYBODY, ANNE).person


RULES = [
    JwtRule.model_validate({"claims": {"sub": "*:*"}, "grants": [{"role": "approver"}]}),
]


def build(issuer: str = "https://ci.example", **claims: Any) -> str:
    return of_build(issuer, RULES, {"sub": f"repo:{claims}", **claims}).person


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ({"repository": "a/shop", "ref": "main"}, {"repository": "a/shop", "ref": "x"}, True),
        ({"repository": "a/shop"}, {"repository": "a/till"}, False),
        (
            {"repository": "a/shop", "repository_id": "7"},
            {"repository": "a/renamed", "repository_id": "7"},
            True,
        ),
        (
            {"project_path": "a/shop", "project_id": 7},
            {"project_path": "a/x", "project_id": 7},
            True,
        ),
        ({"environment": "a"}, {"environment": "b"}, True),
    ],
)
def test_builds_of_a_repository_are_one_person(
    one: dict[str, Any], other: dict[str, Any], same: bool
) -> None:
    assert (build(**one) == build(**other)) is same
    assert build(**one) != build("https://other.example", **one)


@pytest.mark.parametrize(
    ("name", "token", "same"),
    [
        ("anne", "oidc:1", True),
        ("anna", "oidc:1", True),
        ("anne", "oidc:2", False),
        ("Anne", "", True),
        ("ANNE", "tok-1", True),
        ("anna", "tok-1", False),
        ("anne", "jwt:1", True),
    ],
)
def test_people_are_told_apart_by_their_subjects_and_by_names_where_there_are_none(
    name: str, token: str, same: bool
) -> None:
    assert Person("anne", "console", "oidc:1").is_one_with(name, token) is same
    assert Person(name, "console", token).is_one_with("anne", "oidc:1") is same


def test_who_signs_in_has_a_subject() -> None:
    twin = of_login(OIDC, ANYBODY, {**ANNE, "sub": "u2"})
    anne = of_login(OIDC, ANYBODY, ANNE)
    assert not Person(anne.name, "console", anne.person).is_one_with(twin.name, twin.person)
