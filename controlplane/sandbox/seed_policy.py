"""AWS::S3::BucketPolicy for moto's CloudFormation, which the shipped template has and moto has not.

moto finds its resource types among the subclasses of its model, and keeps what it found.
"""

import json
from typing import Any

from moto.cloudformation.parsing import get_model_map
from moto.core.common_models import CloudFormationModel
from moto.s3.models import s3_backends


class BucketPolicy(CloudFormationModel):  # type: ignore[misc]  # moto ships no types
    """A bucket's policy as a resource of a stack; it is known by its bucket's name."""

    def __init__(self, bucket: str) -> None:
        self.physical_resource_id = bucket

    @staticmethod
    def cloudformation_name_type() -> str:
        """Say that it has no property for a name."""
        return ""

    @staticmethod
    def cloudformation_type() -> str:
        """Answer the type that templates write."""
        return "AWS::S3::BucketPolicy"

    @classmethod
    def has_cfn_attr(cls, _attr: str) -> bool:
        """Say that GetAtt answers nothing."""
        return False

    @classmethod
    def create_from_cloudformation_json(
        cls,
        _resource_name: str,
        cloudformation_json: dict[str, Any],
        account_id: str,
        _region_name: str,
        **_more: Any,
    ) -> "BucketPolicy":
        """Put the policy on its bucket."""
        given = cloudformation_json["Properties"]
        policy = json.dumps(given["PolicyDocument"]).encode()
        s3_backends[account_id]["aws"].put_bucket_policy(given["Bucket"], policy)
        return cls(given["Bucket"])

    @classmethod
    def update_from_cloudformation_json(
        cls,
        _original_resource: "BucketPolicy",
        new_resource_name: str,
        cloudformation_json: dict[str, Any],
        account_id: str,
        region_name: str,
    ) -> "BucketPolicy":
        """Put the new policy in the old one's place."""
        return cls.create_from_cloudformation_json(
            new_resource_name, cloudformation_json, account_id, region_name
        )

    @classmethod
    def delete_from_cloudformation_json(
        cls,
        resource_name: str,
        _cloudformation_json: dict[str, Any],
        account_id: str,
        _region_name: str,
    ) -> None:
        """Take the policy off its bucket."""
        s3_backends[account_id]["aws"].delete_bucket_policy(resource_name)

    def is_created(self) -> bool:
        """Say that it is there at once."""
        return True


def learn() -> None:
    """Let CloudFormation know of it, whatever was made before."""
    get_model_map.cache_clear()
