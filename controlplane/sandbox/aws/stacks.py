"""CloudFormation: what moto's stacks leave out of the resources that they make.

A bucket gets the versioning that its template asks for. Policies of roles and keys are kept as JSON, as
IAM and KMS answer them; moto keeps the template's maps.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from moto.iam.models import Role
from moto.kms.models import Key
from moto.s3.models import FakeBucket

Finish = Callable[[Any, Mapping[str, Any]], None]


def install() -> None:
    """Finish what a stack makes."""
    _finish(FakeBucket, _version)
    _finish(Role, _write_inline_policies)
    _finish(Key, _write_key_policy)


def _finish(model: Any, finish: Finish) -> None:
    create = model.create_from_cloudformation_json

    def create_whole(_model: Any, name: str, resource: Any, *where: Any, **named: Any) -> Any:
        made = create(name, resource, *where, **named)
        finish(made, resource.get("Properties", {}))
        return made

    model.create_from_cloudformation_json = classmethod(create_whole)


def _version(bucket: Any, properties: Mapping[str, Any]) -> None:
    asked = properties.get("VersioningConfiguration", {})
    bucket.versioning_status = asked.get("Status", bucket.versioning_status)


def _write_inline_policies(role: Any, _properties: Mapping[str, Any]) -> None:
    role.policies = {name: _json(policy) for name, policy in role.policies.items()}


def _write_key_policy(key: Any, _properties: Mapping[str, Any]) -> None:
    key.policy = _json(key.policy)


def _json(policy: Any) -> Any:
    return json.dumps(policy) if isinstance(policy, Mapping) else policy
