"""The structural rules, all of them: what makes a well-spelled pipeline one that can run."""

from collections.abc import Collection
from datetime import datetime
from itertools import chain, islice

from controlplane.declarations.check_approvals import check_approvals
from controlplane.declarations.check_bakes import check_bakes
from controlplane.declarations.check_builds import check_builds
from controlplane.declarations.check_failures import check_failures
from controlplane.declarations.check_flow import check_flow
from controlplane.declarations.check_gates import check_gates
from controlplane.declarations.check_items import check_items
from controlplane.declarations.check_stores import check_stores
from controlplane.declarations.check_structure import check_limits, check_structure
from controlplane.declarations.check_triggers import check_triggers
from controlplane.declarations.findings import MOST, Finding
from controlplane.declarations.model import PipelineDeclaration
from controlplane.declarations.registered import Types


def validate(
    declaration: PipelineDeclaration,
    accounts: Collection[str] | None = None,
    now: datetime | None = None,
    types: Types | None = None,
) -> list[Finding]:
    """Answer everything that is wrong; nothing where it can run.

    accounts: the names of the registered accounts; None where they are not known, and not checked.
    now: windows must open after it; None where that is not checked.
    types: the registered action types; None where they are not known, and an action of a type that may
    be registered is taken as it is.
    """
    too_large = list(check_limits(declaration))
    if too_large:
        return too_large
    found = chain(
        check_structure(declaration),
        check_items(declaration, accounts, types),
        check_builds(declaration),
        check_approvals(declaration),
        check_flow(declaration),
        check_stores(declaration),
        check_bakes(declaration),
        check_failures(declaration),
        check_gates(declaration, now),
        check_triggers(declaration),
    )
    return list(islice(found, MOST))
