"""Settings by which nobody could come in, or everybody: refused at the start, in words."""

from typing import Any

import pytest

from controlplane.identity import builds, oidc
from controlplane.identity.asking import is_safe
from controlplane.settings import GrantSetting, JwtIssuer, Oidc, SettingError

ANYBODY = {"*": (GrantSetting(role="viewer"),)}
RULE = {"claims": {"repository": "acme/*"}, "grants": [{"role": "developer"}]}
ISSUER = {"issuer": "https://ci.example", "audience": "towpath", "rules": [RULE]}


@pytest.mark.parametrize(
    ("change", "grants", "said"),
    [
        ({"issuer": "http://id.example"}, ANYBODY, "https"),
        ({"scopes": "email"}, ANYBODY, "openid"),
        ({"client_secret_env": "NOT_SET_ANYWHERE"}, ANYBODY, "NOT_SET_ANYWHERE"),
        ({}, {}, "TOWPATH_GRANTS"),
        ({}, {"a": (GrantSetting(role="boss"),)}, "no role 'boss'"),
        ({}, {"a": (GrantSetting(role="viewer", pipelines="a/b"),)}, "no glob"),
    ],
)
def test_a_provider_by_which_nobody_can_sign_in_is_refused(
    change: dict[str, str], grants: dict[str, tuple[GrantSetting, ...]], said: str
) -> None:
    given = Oidc.model_validate({"issuer": "https://id.example", "client_id": "t", **change})
    with pytest.raises(SettingError, match=said):
        oidc.check_settings(given, grants)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"issuer": "http://ci.example"}, "https"),
        ({"jwks": "http://ci.example/keys"}, "https"),
        ({"rules": [{**RULE, "claims": {"repository": "*"}}]}, "must ask for something"),
        ({"rules": [{**RULE, "claims": {"sub": "?*"}}]}, "must ask for something"),
        ({"rules": [{**RULE, "claims": {"iss": "https://ci.example"}}]}, "must ask for something"),
        ({"rules": [{**RULE, "claims": {"aud": "towpath", "ref": "*"}}]}, "must ask for something"),
        ({"rules": [{**RULE, "grants": [{"role": "boss"}]}]}, "no role 'boss'"),
    ],
)
def test_an_issuer_that_lets_in_anybody_is_refused(change: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingError, match=said):
        builds.check_settings([JwtIssuer.model_validate({**ISSUER, **change})])


def test_an_issuer_is_named_once() -> None:
    one = JwtIssuer.model_validate(ISSUER)
    builds.check_settings([one])
    with pytest.raises(SettingError, match="twice"):
        builds.check_settings([one, one])


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://id.example/a", True),
        ("http://127.0.0.1:80/a", True),
        ("http://localhost/a", True),
        ("http://id.example/", False),
        ("http://127.0.0.1.evil.example/", False),
        ("https://id.example@evil.example/", False),
        ("ftp://127.0.0.1/", False),
        ("https://", False),
    ],
)
def test_only_https_and_this_machine_are_asked(url: str, safe: bool) -> None:
    assert is_safe(url) is safe
