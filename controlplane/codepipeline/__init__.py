"""CodePipeline's own wire protocol: what speaks to CodePipeline can speak to Towpath.

In the order of a request: `door` (HTTP), `sigv4` and `signed` (who asks), `inputs` (is it well formed),
`operations` (the one table: what it needs, and who does it), the handlers, `outputs` and `faults`.
https://docs.aws.amazon.com/codepipeline/latest/APIReference/Welcome.html
"""

from controlplane.codepipeline.asking import Desk
from controlplane.codepipeline.door import create_door

__all__ = ["Desk", "create_door"]
