"""How the sandbox's CodeDeploy refuses: by AWS's own exception names."""

from controlplane.sandbox.aws.faults import Fault

__all__ = ["Fault", "limit_batch", "not_emulated"]


def not_emulated(what: str) -> NotImplementedError:
    """Refuse what CodeDeploy has and the sandbox has not; the server answers it with status 400."""
    return NotImplementedError(f"The sandbox's CodeDeploy does not emulate {what}")


def limit_batch(names: list[str], limit: int = 25) -> list[str]:
    """Answer the names, unless there are more than CodeDeploy takes in one batch call."""
    if len(names) > limit:
        raise Fault(
            "BatchLimitExceededException",
            f"The maximum number of names or IDs allowed for this request ({limit}) was exceeded.",
        )
    return names
