"""Where sources stand."""

from sqlmodel import Field, SQLModel


class SourceRef(SQLModel, table=True):
    """What a pipeline started with last from a branch or a pull request of a source. ref: "refs/heads/main"."""

    __tablename__ = "source_ref"
    pipeline: str = Field(primary_key=True)
    action: str = Field(primary_key=True)
    ref: str = Field(primary_key=True)
    revision: str
