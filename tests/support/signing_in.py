"""An installation that people sign in to by a provider, and the browser with which they do."""

from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx

from controlplane.identity.builds import Builds
from controlplane.identity.oidc import Login
from controlplane.sandbox.oidc import Provider
from controlplane.server import create_app
from controlplane.settings import GrantSetting, JwtIssuer, Oidc
from tests.support.doors import SAME_SITE, Doors, InProcess

ISSUER, CLIENT, AUDIENCE = "https://id.example", "towpath", "https://towpath.example"
OIDC = Oidc(issuer=ISSUER, client_id=CLIENT)
GRANTS = {
    "release": (GrantSetting(role="approver", pipelines="shop"),),
    "platform": (GrantSetting(role="admin"),),
}
RULES = [
    {
        "claims": {"repository": "acme/shop", "ref": "refs/heads/main"},
        "grants": [{"role": "developer", "pipelines": "shop"}],
        "name": "build of {repository}",
    }
]
TAKEN = JwtIssuer.model_validate({"issuer": ISSUER, "audience": AUDIENCE, "rules": RULES})


class Signing(Doors):
    """Doors in front of which a provider stands; it signs both people and builds."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        super().__init__(folder, oidc=OIDC, grants=GRANTS, jwt_issuers=(TAKEN,), **settings)
        clock = self.house.clock
        self.provider = Provider(ISSUER, clock, {CLIENT: ""})
        http = httpx.Client(transport=InProcess(self.provider.app))
        login = Login(http, OIDC, GRANTS, "http://towpath", self.house._now)
        builds = Builds(http, (TAKEN,), self.house._now)
        self.app = create_app(self.parts(login=login, builds=builds))

    def visitor(self) -> httpx.Client:
        """A browser that has not signed in."""
        return httpx.Client(
            transport=InProcess(self.app), base_url="http://towpath/console", headers=SAME_SITE
        )

    def away(self, browser: httpx.Client) -> dict[str, str]:
        """Begin to sign in; what the provider's redirect brings back."""
        sent = browser.get("/login/provider", params={"next": "/console/freezes"})
        with httpx.Client(transport=InProcess(self.provider.app)) as there:
            back = there.get(sent.headers["location"]).headers["location"]
        return dict(parse_qsl(urlsplit(back).query))

    def sign_in(self, browser: httpx.Client, **claims: Any) -> httpx.Response:
        """Sign in as a person of these claims."""
        self.provider.person |= claims
        return browser.get("/login/callback", params=self.away(browser))

    def build(self, **claims: Any) -> str:
        """A JWT as a build of shop's main branch shows it."""
        of_main = {"sub": "repo:acme/shop", "repository": "acme/shop", "ref": "refs/heads/main"}
        return self.provider.sign({"aud": AUDIENCE, **of_main, **claims})
