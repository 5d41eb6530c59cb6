"""Refusals in CodePipeline's words. The code of each is one that botocore makes an exception of."""

from typing import NoReturn

from controlplane.engine.refusals import CommandError, Problem


class WireError(Exception):
    """One refusal. code: as in `__type`; status: of HTTP."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


def invalid(message: str) -> WireError:
    """A request that is well signed and not well formed."""
    return WireError("ValidationException", message)


def no_pipeline(name: str) -> WireError:
    return WireError(
        "PipelineNotFoundException", f"Account does not have a pipeline with name '{name}'"
    )


def no_execution(execution_id: str) -> WireError:
    said = f"The pipeline has no execution with id '{execution_id}'"
    return WireError("PipelineExecutionNotFoundException", said)


def no_stage(pipeline: str, stage: str) -> WireError:
    return WireError("StageNotFoundException", f"Pipeline '{pipeline}' has no stage '{stage}'")


def no_resource(resource: str) -> WireError:
    return WireError("ResourceNotFoundException", f"There is no {resource.replace('/', ' ', 1)}")


GENERAL = {
    Problem.INVALID: ("ValidationException", 400),
    Problem.UNKNOWN: ("ValidationException", 400),
    Problem.CONFLICT: ("ConflictException", 400),
    Problem.BUSY: ("ServiceUnavailableException", 503),
    Problem.CROWDED: ("ConcurrentPipelineExecutionsLimitExceededException", 400),
}
"""What a refusal of the engine is called, where the operation has no name of its own for it."""


def refuse(error: CommandError, conflict: str = "ConflictException") -> NoReturn:
    """Say in CodePipeline's words what the engine refused. conflict: the operation's own word for one."""
    code, status = GENERAL[error.problem]
    if error.problem is Problem.CONFLICT:
        code = conflict
    raise WireError(code, str(error), status) from error
