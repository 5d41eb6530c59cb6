"""The structural rules, all of them: what makes a well-spelled pipeline one that can run."""

from collections.abc import Collection

from controlplane.declarations.check_bakes import check_bakes
from controlplane.declarations.check_flow import check_flow
from controlplane.declarations.check_items import check_items
from controlplane.declarations.check_structure import check_structure
from controlplane.declarations.findings import Finding
from controlplane.declarations.model import PipelineDeclaration


def validate(
    declaration: PipelineDeclaration, accounts: Collection[str] | None = None
) -> list[Finding]:
    """Answer everything that is wrong; nothing where it can run.

    accounts: the names of the registered accounts; None where they are not known, and not checked.
    """
    return [
        *check_structure(declaration),
        *check_items(declaration, accounts),
        *check_flow(declaration),
        *check_bakes(declaration),
    ]
