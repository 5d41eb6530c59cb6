"""IAM documents for the tests."""

import json
from typing import Any


def allow(actions: str | list[str], resource: str | list[str] = "*", **more: Any) -> str:
    """Write a policy that allows some actions."""
    statement = {"Effect": "Allow", "Action": actions, "Resource": resource, **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def trust(account: str, **condition: str) -> str:
    """Write a trust policy for an account, with conditions that a string equals."""
    actions = ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"]
    statement: dict[str, Any] = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
        "Action": actions,
    }
    if condition:
        keys = {f"sts:{name}": value for name, value in condition.items()}
        statement["Condition"] = {"StringEquals": keys}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
