"""What `#{namespace.name}` can name: the pipeline's variables, and what earlier actions put out."""

from typing import Any

from sqlalchemy import Connection

from controlplane.engine.structures import Structures
from controlplane.store import executions


def variables(
    connection: Connection, structures: Structures, execution: Any
) -> dict[tuple[str, str], str]:
    """By (namespace, name). A way back knows what the way there knew."""
    declared = structures.pipeline(connection, execution.pipeline, execution.version).variables
    known = {("variables", v.name): v.default_value for v in declared if v.default_value}
    known["codepipeline", "PipelineExecutionId"] = execution.id
    if execution.rolls_back:
        known |= executions.variables(connection, execution.rolls_back)
    return known | executions.variables(connection, execution.id)
