"""What a pipeline may be written in, by name; apart, so that naming one imports none."""

from enum import StrEnum


class Spelling(StrEnum):
    """What a pipeline may be written in."""

    YAML = "yaml"
    CODEPIPELINE = "codepipeline"
    CLOUDFORMATION = "cloudformation"
