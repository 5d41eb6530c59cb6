"""A pipeline, its versions, and what keeps the way into a stage closed."""

from sqlmodel import Field, SQLModel


class Pipeline(SQLModel, table=True):
    """A pipeline by name, and which version of its structure counts now."""

    name: str = Field(primary_key=True)
    version: int
    updated_at: float
    updated_by: str = ""


class PipelineVersion(SQLModel, table=True):
    """One version of a pipeline's structure; never changed, so that a way back is never lost."""

    __tablename__ = "pipeline_version"
    pipeline: str = Field(primary_key=True)
    version: int = Field(primary_key=True)
    declaration: str
    created_at: float
    created_by: str = ""


class Transition(SQLModel, table=True):
    """A row means: the way into this stage is disabled, for this reason."""

    pipeline: str = Field(primary_key=True)
    stage: str = Field(primary_key=True)
    reason: str
    disabled_by: str
    disabled_at: float
