"""Claims -> who that is: whose word counts, and what no text may do."""

from typing import Any

import pytest

from controlplane.identity.errors import IdentityError
from controlplane.identity.people import of_login
from controlplane.settings import GrantSetting, Oidc

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
