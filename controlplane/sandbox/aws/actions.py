"""Which IAM action an operation needs, where it is not simply the operation's name.

https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

PREFIXES = {
    "resourcegroupstaggingapi": "tag",
    "elbv2": "elasticloadbalancing",
    "elb": "elasticloadbalancing",
    "stepfunctions": "states",
}
"""IAM's prefix of a service, where it is not botocore's name."""

S3 = {
    "CompleteMultipartUpload": "PutObject",
    "CopyObject": "PutObject",
    "CreateMultipartUpload": "PutObject",
    "DeleteBucketEncryption": "PutEncryptionConfiguration",
    "DeleteBucketLifecycle": "PutLifecycleConfiguration",
    "DeleteObjects": "DeleteObject",
    "DeletePublicAccessBlock": "PutBucketPublicAccessBlock",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
    "GetBucketNotificationConfiguration": "GetBucketNotification",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "HeadBucket": "ListBucket",
    "HeadObject": "GetObject",
    "ListBuckets": "ListAllMyBuckets",
    "ListMultipartUploads": "ListBucketMultipartUploads",
    "ListObjectVersions": "ListBucketVersions",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "ListParts": "ListMultipartUploadParts",
    "PutBucketEncryption": "PutEncryptionConfiguration",
    "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
    "PutBucketNotificationConfiguration": "PutBucketNotification",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
    "UploadPart": "PutObject",
    "UploadPartCopy": "PutObject",
}

RENAMED: dict[str, dict[str, str]] = {
    "s3": S3,
    "lambda": {"Invoke": "InvokeFunction", "InvokeAsync": "InvokeFunction"},
    "sqs": {
        "ChangeMessageVisibilityBatch": "ChangeMessageVisibility",
        "DeleteMessageBatch": "DeleteMessage",
        "SendMessageBatch": "SendMessage",
    },
    "sns": {"PublishBatch": "Publish"},
}

OF_A_VERSION = ("GetObject", "DeleteObject", "GetObjectTagging", "GetObjectAttributes")
"""S3 asks for another action where a version is named: GetObjectVersion, ..."""

FREE = ("sts:GetCallerIdentity",)
"""Needs no permission; not even a Deny stops it."""


def action_of(service: str, operation: str) -> str:
    """Answer the action, as `prefix:Name`."""
    prefix = PREFIXES.get(service, service)
    return f"{prefix}:{RENAMED.get(service, {}).get(operation, operation)}"


def with_version(action: str) -> str:
    """Answer S3's action on one version of an object (s3:GetObject -> s3:GetObjectVersion)."""
    name = action.removeprefix("s3:")
    if name not in OF_A_VERSION:
        return action
    return "s3:" + name.replace("Object", "ObjectVersion", 1)
