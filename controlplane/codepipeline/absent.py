"""Custom action types and job workers: Towpath runs none yet, and says so in each operation's words.

The answers are true: there is no such type, so there is no job of one.
"""

from controlplane.codepipeline.asking import Answer, Ask, Handler
from controlplane.codepipeline.faults import WireError

WHY = "Towpath runs no custom action types and no job workers yet; ListActionTypes lists what it runs."


def refusing(code: str) -> Handler:
    """Make a handler that refuses with one of the operation's own exceptions."""

    def refuse(_: Ask) -> Answer:
        raise WireError(code, WHY)

    return refuse


no_types = refusing("ValidationException")
no_such_type = refusing("ActionTypeNotFoundException")
no_job = refusing("JobNotFoundException")
