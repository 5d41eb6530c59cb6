"""The installation itself: accounts, tokens, replicas, periodic work."""

from sqlmodel import Field, SQLModel

from controlplane.store.tables.columns import EMPTY


class AccountRow(SQLModel, table=True):
    """A registered account, as its document."""

    __tablename__ = "account"
    name: str = Field(primary_key=True)
    document: str
    updated_at: float


class ApiToken(SQLModel, table=True):
    """An API token: its SHA-256 only.

    person: the id of the token that its maker began with; "" where it was made beside the database, and
    is a person's own. All tokens of one person count as one where two people are wanted.
    grants: of a token that reaches not everywhere, whose role is then "scoped" (see `store.grants`).
    made_by: the name of whoever made it; "" where that is not known.
    """

    __tablename__ = "api_token"
    id: str = Field(primary_key=True)
    name: str
    hash: str = Field(unique=True)
    role: str
    created_at: float
    expires_at: float | None = None
    last_used_at: float | None = None
    revoked_at: float | None = None
    person: str = Field(default="", sa_column_kwargs=EMPTY)
    grants: str = Field(default="", sa_column_kwargs=EMPTY)
    made_by: str = Field(default="", sa_column_kwargs=EMPTY)


class ConsoleSession(SQLModel, table=True):
    """A browser that has signed in: with a token (token_id), or as whom an identity provider named.

    person: as which he counts; grants, groups: JSON, fixed as he signed in. Of a session of a token the
    grants are the token's, as they are now. ended_at: signed out, or ended by somebody else.
    """

    __tablename__ = "console_session"
    id: str = Field(primary_key=True)
    person: str
    name: str
    grants: str
    groups: str
    token_id: str
    made_at: float
    expires_at: float = Field(index=True)
    ended_at: float | None = None


class Replica(SQLModel, table=True):
    """A running process of ours; one that was not seen for a while is gone."""

    name: str = Field(primary_key=True)
    version: str
    schema_revision: str
    started_at: float
    seen_at: float


class Periodic(SQLModel, table=True):
    """Work that is done now and then by one replica: when it is due next."""

    name: str = Field(primary_key=True)
    due_at: float


class Installation(SQLModel, table=True):
    """What this installation knows of itself: the secret that signs its buttons, the last event it tallied."""

    key: str = Field(primary_key=True)
    value: str
