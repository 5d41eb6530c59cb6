"""What CodePipeline's wire protocol needs beside the pipelines: access keys, tags, webhooks."""

from sqlmodel import Field, SQLModel

from controlplane.store.tables.columns import EMPTY


class AccessKey(SQLModel, table=True):
    """An access key that signs requests (SigV4); its role, expiry and revocation are its token's.

    sealed: the secret, encrypted: a signature can only be checked by whoever knows it. account: the AWS
    account that its holder counts as; "" for none.
    """

    __tablename__ = "access_key"
    id: str = Field(primary_key=True)
    token_id: str = Field(unique=True)
    sealed: str
    account: str = Field(default="", sa_column_kwargs=EMPTY)


class Tag(SQLModel, table=True):
    """A tag of a resource, by CodePipeline's TagResource. resource: "pipeline/NAME" or "webhook/NAME"."""

    resource: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    value: str


class Webhook(SQLModel, table=True):
    """A webhook of CodePipeline's version 1. definition: as it was put (JSON), its secret sealed apart.

    path: the last part of its URL, which nobody can guess.
    """

    name: str = Field(primary_key=True)
    path: str = Field(unique=True)
    pipeline: str
    definition: str
    sealed: str
    updated_at: float
    triggered_at: float | None = None
    error: str = Field(default="", sa_column_kwargs=EMPTY)
