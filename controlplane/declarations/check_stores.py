"""Artifact stores: one in each region in which an action takes or makes artifacts, as CodePipeline asks.

https://docs.aws.amazon.com/codepipeline/latest/userguide/actions-create-cross-region.html
"""

from collections.abc import Iterator

from controlplane.declarations.findings import Finding
from controlplane.declarations.model import ActionDeclaration, PipelineDeclaration, RuleDeclaration
from controlplane.declarations.stores import home_region, names_stores
from controlplane.declarations.walk import everything


def check_stores(declaration: PipelineDeclaration) -> Iterator[Finding]:
    """Yield the regions that have no store, where the pipeline names stores at all."""
    if not names_stores(declaration):
        return
    several = declaration.artifact_stores
    known = set(several) if several else {home_region(declaration)}
    for placed in everything(declaration):
        region = placed.item.region
        if region is None or region in known or not _has_artifacts(placed.item):
            continue
        known.add(region)  # once for each region
        who = f"{declaration.stages[placed.stage].name}/{placed.item.name}"
        said = f"{who} takes or makes artifacts in {region}"
        if several:
            yield Finding(("artifactStores",), f"{said}: name a bucket there, and its key", True)
        else:
            message = (
                f"is of one region, and {said}: name a bucket for each region in artifactStores"
            )
            yield Finding(("artifactStore",), message, True)


def _has_artifacts(item: ActionDeclaration | RuleDeclaration) -> bool:
    made = item.output_artifacts if isinstance(item, ActionDeclaration) else ()
    return bool(item.input_artifacts or made)
