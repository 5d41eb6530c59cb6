"""What can be done next, as commands to copy."""

from collections.abc import Iterable, Mapping
from typing import Any

Document = Mapping[str, Any]


def deploying(declared: Document) -> list[str]:
    """The stages of a structure that deploy something which could come back."""
    from controlplane.declarations.providers import provider_by

    def deploys(action: Document) -> bool:
        known = provider_by(action["actionTypeId"])
        return known is not None and known.deploys

    return [
        str(stage["name"]) for stage in declared["stages"] if any(map(deploys, stage["actions"]))
    ]


def ways_back(pipeline: str, stages: Iterable[str]) -> list[str]:
    """A line for each stage that deploys."""
    return [f"to roll back: towpath rollback {pipeline} {stage} -m WHY" for stage in stages]


def roll_back(document: Document) -> list[str]:
    """For an execution: each stage in which it deployed and still stands."""
    if document["type"] == "ROLLBACK":
        return []
    stages = [
        stage["stage"]
        for stage in document["stages"]
        if stage["status"] in {"Succeeded", "Baking", "InProgress"}
        and any(
            action["category"] == "Deploy" and action["provider"] not in PROMOTES
            for action in stage["actions"]
        )
    ]
    return ways_back(document["pipeline"], stages)


PROMOTES = frozenset({"S3Promote", "ECRPromote"})
"""They copy a release to where it can be deployed from, and change nothing that runs."""


def decide(document: Document, stages: Iterable[str]) -> list[str]:
    """For an execution that waits for a person: how to give one's word in each stage."""
    lines = []
    for stage in document["stages"]:
        if stage["stage"] not in stages:
            continue
        asks = (stage["bake"] or {}).get("askedAt") and stage["status"] == "Baking"
        place = f"{document['id']} {stage['stage']}"
        lines.append(
            f"{stage['stage']} waits for a person: "
            + (f"towpath judge {place} pass|rollback -m WHY" if asks else _approve(place))
        )
    return lines


def decide_on(approval: Document) -> list[str]:
    """For an open approval: the commands that decide on what there is to see now, and on nothing else."""
    place = f"{approval['executionId']} {approval['stage']} --action {approval['action']}"
    bound = f"{place} --evidence {approval['evidence']} -m WHY"
    return [
        f"{approval['stage']}/{approval['action']} waits for a person: {approval['onApprove']}",
        f"  towpath approve {bound}",
        f"  towpath reject {bound}",
    ]


def _approve(place: str) -> str:
    return f"towpath approve {place} -m WHY, or towpath reject {place} -m WHY"
