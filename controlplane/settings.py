"""Settings from the environment (TOWPATH_...), and where the state lies. AWS's own variables are boto3's."""

from datetime import time
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr
from pydantic.alias_generators import to_camel
from pydantic_settings import BaseSettings, SettingsConfigDict

GIT_APIS = {
    "github": "https://api.github.com",
    "gitlab": "https://gitlab.com/api/v4",
    "bitbucket": "https://api.bitbucket.org/2.0",
}
BITBUCKET = "https://bitbucket.org"


class GitHost(BaseModel):
    """One Git host of TOWPATH_GIT.

    secret_env, token_env: names of the variables with the webhooks' secret and with the token of the API.
    api: where that is not the vendor's own cloud. site: of Bitbucket, whose API has no archives.
    connections: the ARNs that mean this host. forks: pull requests from other repositories start, too.
    """

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True
    )

    kind: Literal["github", "gitlab", "bitbucket"]
    secret_env: str = ""
    token_env: str = ""
    api: str = ""
    site: str = BITBUCKET
    connections: tuple[str, ...] = ()
    forks: bool = False

    @property
    def address(self) -> str:
        """Where its API is, without a slash at the end."""
        return (self.api or GIT_APIS[self.kind]).rstrip("/")


Globs = str | Annotated[tuple[str, ...], Field(min_length=1, max_length=20)]
"""One glob, or several of which any may match."""


class SettingError(ValueError):
    """A setting that is well formed and cannot be: the sentence names it, and the mend."""


class SlackPerson(BaseModel):
    """Who a user of Slack is here: the name that his tokens have too, and the role of his presses.

    pipelines, stages, environments: globs of those that he may move. groups: those that he is in.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._@-]{0,99}$")]
    role: str
    pipelines: str = "*"
    stages: str = "*"
    environments: Globs = "*"
    groups: tuple[str, ...] = ()


class GrantSetting(BaseModel):
    """A role over the pipelines, stages and environments that globs match."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    role: str
    pipelines: str = "*"
    stages: str = "*"
    environments: Globs = "*"


class Oidc(BaseModel):
    """The OpenID provider of TOWPATH_OIDC.

    client_secret_env: the variable with our secret there; "" for a public client. scopes: what is asked for.
    groups_claim, name_claim: which claims of the ID token tell a person's groups and name.
    """

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True
    )

    issuer: str
    client_id: Annotated[str, Field(min_length=1)]
    client_secret_env: str = ""
    scopes: str = "openid profile email"
    groups_claim: str = "groups"
    name_claim: str = "preferred_username"
    called: str = "your identity provider"


class JwtRule(BaseModel):
    """What a JWT with these claims may: claims to globs, all of them must match. name: as which it acts.

    {claim} in the name stands for the claim's value.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    claims: Annotated[dict[str, str], Field(min_length=1)]
    grants: Annotated[tuple[GrantSetting, ...], Field(min_length=1)]
    name: str = "ci:{sub}"


class JwtIssuer(BaseModel):
    """An issuer of TOWPATH_JWT_ISSUERS. audience: what its JWTs must be for. jwks: "" asks its metadata."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    issuer: str
    audience: Annotated[str, Field(min_length=1)]
    jwks: str = ""
    rules: Annotated[tuple[JwtRule, ...], Field(min_length=1)]


class IamApprover(BaseModel):
    """Who an IAM role or user is here, where he signs a decision, and where he may decide.

    name: {name} in it stands for the role's or user's own. groups: those that he counts for. tags: globs of
    tags that the role or user must have, request_tags: that the call must have; AWS tells both of tokens only.
    """

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True
    )

    name: Annotated[
        str, Field(pattern=r"^([A-Za-z0-9]|\{name\})([A-Za-z0-9 ._@-]|\{name\}){0,99}$")
    ]
    grants: Annotated[tuple[GrantSetting, ...], Field(min_length=1, max_length=50)]
    groups: Annotated[tuple[str, ...], Field(max_length=50)] = ()
    tags: dict[str, str] = {}
    request_tags: dict[str, str] = {}


class IamIssuer(BaseModel):
    """Who signs the tokens of an account's sts:GetWebIdentityToken. org: of which organization it must be."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    issuer: str
    org: Annotated[str, Field(pattern=r"^(o-[a-z0-9]{10,32})?$")] = ""


AccountId = Annotated[str, Field(pattern=r"^[0-9]{12}$")]
PrincipalArn = Annotated[
    str,
    Field(pattern=r"^arn:aws[a-z-]*:iam::[0-9]{12}:(role/[\w+=,.@*?-]+|user/[\w+=,.@/*?-]+)$"),
]
"""With * and ? behind the account; a role is written without its path."""


class Settings(BaseSettings):
    """Everything that differs between installations. Secrets never show in a repr or a log.

    The book's page of settings is made from these lines: each begins with the names that it is about.

    database_url: sqlite:///FILE, or postgresql://USER@HOST/NAME; a password comes by PGPASSWORD or ~/.pgpass.
    host, port: where the doors listen. public_url: where people and vendors reach them.
    secret: signs sessions and buttons, and seals what is stored; the same for every replica. Where it is not
    set the database keeps one.
    accounts_file: YAML that is read at start; accounts put in by the API come on top.
    sites, prometheus, alertmanager: names to base URLs, as JSON (`{"shop-prod": "http://..."}`).
    calendars: names to paths or URLs of iCalendar files, as JSON (`{"holidays": "/etc/towpath/de.ics"}`).
    git: Git hosts by name, as JSON (see GitHost); their webhooks come in at /git/NAME.
    commands_project: the CodeBuild project, of that name in each account, in which Commands run that name none.
    source_queue: URL of the SQS queue with source events. source_queue_account, source_queue_region: where it
    lies. poll_sources_seconds: how often sources are asked besides.
    oidc: the OpenID provider by which people sign in at the console, as JSON (see Oidc). grants: its groups
    to what their people may, as JSON (`{"release": [{"role": "approver", "pipelines": "shop-*"}]}`); "*" is
    everybody who signs in. jwt_issuers: whose JWTs the REST API takes, as JSON (see JwtIssuer).
    slack_token, slack_signing_secret: of the Slack app: what it says, and how we know that Slack asks.
    slack_url: Slack's API.
    slack_people: Slack's user ids to who they are here, as JSON (`{"U024BE7LH": {"name": "anne", "role":
    "approver"}}`); a press by anybody else is refused.
    iam_approvers: ARNs of IAM roles (without their path) and users, with * and ? in their names, to who they
    are here and where they may decide, as JSON (`{"arn:aws:iam::444455556666:role/Release": {"name": "anne",
    "grants": [{"role": "approver", "pipelines": "shop-*"}]}}`; see IamApprover).
    iam_issuers: account ids to the issuers of their tokens by sts:GetWebIdentityToken, as JSON
    (`{"444455556666": {"issuer": "https://....tokens.sts.global.api.aws", "org": "o-..."}}`).
    slack_app_token: opens Socket Mode, for networks that nobody may call from outside.
    max_requests, max_requests_of_one: answered at once by a process, and of one client; more wait for a
    moment, then hear 429. max_body_bytes: a larger body is refused unread.
    max_open_executions: of one pipeline; a start beyond it hears 429, a source's event stays in its queue.
    keep_days, archive: a folder that finished executions go to as JSON Lines once they are so many days old
    (0: they stay for ever). Where it is not set nothing is ever deleted; "none" deletes without keeping a
    copy. Set it once every replica runs this version: an older one would not know what has started before.
    drills: "PIPELINE/STAGE" to how often it is drilled, as JSON (`{"shop/Test": "7d"}`); the first at once.
    github_token: asks GitHub for webhooks of repositories. github_url: its API, or an Enterprise Server's.
    third_party_clients: providers of action types of owner ThirdParty to the tokens that their job workers
    show, as JSON (`{"AcmeScan": "..."}`).
    digest_at: "HH:MM" in UTC: the channels of all pipelines are told then what the last 24 hours were; left
    out, never. digest_quiet: they are told of a day on which nothing happened, too.
    lease_seconds: how long what a dead replica held stays its own. It is renewed while that lives.
    """

    model_config = SettingsConfigDict(env_prefix="TOWPATH_", extra="ignore")

    database_url: str = "sqlite:///towpath.db"
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8640
    public_url: str = "http://127.0.0.1:8640"
    accounts_file: Path | None = None
    sites: dict[str, str] = {}
    prometheus: dict[str, str] = {}
    alertmanager: dict[str, str] = {}
    calendars: dict[str, str] = {}
    git: dict[str, GitHost] = {}
    commands_project: str = ""
    source_queue: str = ""
    source_queue_account: str = ""
    source_queue_region: str = ""
    poll_sources_seconds: Annotated[float, Field(ge=1)] = 60.0
    lease_seconds: Annotated[float, Field(ge=2)] = 30.0
    secret: SecretStr = SecretStr("")
    oidc: Oidc | None = None
    grants: dict[str, tuple[GrantSetting, ...]] = {}
    jwt_issuers: tuple[JwtIssuer, ...] = ()
    slack_token: SecretStr = SecretStr("")
    slack_signing_secret: SecretStr = SecretStr("")
    slack_people: dict[str, SlackPerson] = {}
    iam_approvers: dict[PrincipalArn, IamApprover] = {}
    iam_issuers: dict[AccountId, IamIssuer] = {}
    slack_app_token: SecretStr = SecretStr("")
    slack_url: str = "https://slack.com/api/"
    github_token: SecretStr = SecretStr("")
    github_url: str = "https://api.github.com"
    third_party_clients: dict[str, SecretStr] = {}
    max_body_bytes: int = 1024 * 1024
    max_requests: Annotated[int, Field(ge=0, le=38)] = (
        32  # the server has 40 threads; probes need some
    )
    max_requests_of_one: Annotated[int, Field(ge=1)] = 24
    max_open_executions: Annotated[int, Field(ge=1)] = 1_000
    drills: dict[str, str] = {}
    digest_at: time | None = None
    digest_quiet: bool = False
    keep_days: Annotated[float, Field(ge=0)] = 90.0
    archive: str = ""
