"""Task definitions: families of revisions, with the tags that they were registered under."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from controlplane.sandbox.aws.faults import Fault
from controlplane.sandbox.aws.paging import page

MOST = 100


class Definitions:
    """Those of one account and region."""

    def __init__(self, account: str, region: str) -> None:
        """Begin with none."""
        self._where = f"arn:aws:ecs:{region}:{account}:task-definition"
        self.families: dict[str, list[dict[str, Any]]] = {}
        self.tags: dict[str, list[dict[str, str]]] = {}

    def register(self, asked: Mapping[str, Any], now: datetime) -> dict[str, Any]:
        """Make the next revision of a family."""
        if not asked.get("containerDefinitions"):
            raise Fault("ClientException", "Container definitions are missing.")
        known = self.families.setdefault(str(asked["family"]), [])
        arn = f"{self._where}/{asked['family']}:{len(known) + 1}"
        made = {
            **{key: value for key, value in asked.items() if key != "tags" and value is not None},
            "taskDefinitionArn": arn,
            "revision": len(known) + 1,
            "status": "ACTIVE",
            "registeredAt": now,
        }
        known.append(made)
        self.tags[arn] = [dict(one) for one in asked.get("tags") or ()]
        return {"taskDefinition": made, "tags": self.tags[arn]}

    def describe(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Show one revision, and its tags where they are asked for."""
        found = self.find(str(asked["taskDefinition"]), retired=True)
        tags = {"tags": self.tags[found["taskDefinitionArn"]]}
        return {"taskDefinition": found, **(tags if "TAGS" in (asked.get("include") or ()) else {})}

    def find(self, name: str, *, retired: bool = False) -> dict[str, Any]:
        """Find a revision by its ARN, its family:revision, or the newest of a family."""
        family, _, revision = name.rpartition("/")[2].partition(":")
        every = self.families.get(family, ())
        known = [one for one in every if one["status"] == "ACTIVE" or (retired and revision)]
        wanted = [one for one in known if not revision or str(one["revision"]) == revision]
        if not wanted:
            raise Fault("ClientException", "Unable to describe task definition.")
        return wanted[-1]

    def list(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """List the ARNs of the active revisions of a family."""
        known = self.families.get(str(asked.get("familyPrefix")), ())
        arns = [one["taskDefinitionArn"] for one in known if one["status"] == "ACTIVE"]
        arns = arns[::-1] if asked.get("sort") == "DESC" else arns
        most = min(int(asked.get("maxResults") or MOST), MOST)
        part, token = page(arns, most, asked.get("nextToken"), "InvalidParameterException")
        return {"taskDefinitionArns": part, **({"nextToken": token} if token else {})}

    def deregister(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Retire a revision: it is not listed any more."""
        found = self.find(str(asked["taskDefinition"]))
        found["status"] = "INACTIVE"
        return {"taskDefinition": found}
