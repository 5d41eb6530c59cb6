"""What each role may do: the statements of deploy/account-roles.cfn.yaml as a literal table.

Three parts of this room read it: session policies are cut out of it, a refusal names the statement
that grants the action, the preflight says which one is missing. A test holds it to the template.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from accounts.models import Purpose

TEMPLATE = "deploy/account-roles.cfn.yaml"


class On(StrEnum):
    """What the actions of a statement act on, and so how a session can be narrowed to it."""

    ANYTHING = "anything"  # the actions know no resource, or are harmless reads
    SCOPE = "scope"  # named by the task: a deployment group, a function, a source
    ARTIFACTS = "artifacts"  # the account's own artifact bucket
    KEY = "key"  # the account's own key
    SOURCE_KEY = "source-key"  # the key of the source bucket, which the registry does not know


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a role: its Sid, its actions, and what they act on."""

    sid: str
    on: On
    actions: tuple[str, ...]


READ_DEPLOYMENTS = Statement(
    "ReadDeployments",
    On.SCOPE,
    (
        "codedeploy:BatchGetDeployments",
        "codedeploy:GetApplication",
        "codedeploy:GetApplicationRevision",
        "codedeploy:GetDeployment",
        "codedeploy:GetDeploymentConfig",
        "codedeploy:GetDeploymentGroup",
        "codedeploy:ListDeployments",
    ),
)
READ_TARGETS = Statement(
    "ReadDeploymentTargets",
    On.ANYTHING,
    (
        "codedeploy:BatchGetDeploymentTargets",
        "codedeploy:GetDeploymentTarget",
        "codedeploy:ListDeploymentTargets",
    ),
)
READ_STACKS = Statement(
    "ReadStacks",
    On.SCOPE,
    ("cloudformation:DescribeStackEvents", "cloudformation:DescribeStacks"),
)
READ_BUILDS = Statement(
    "ReadBuilds",
    On.SCOPE,
    (
        "codebuild:BatchGetBuildBatches",
        "codebuild:BatchGetBuilds",
        "codebuild:BatchGetProjects",
        "codebuild:ListBuildBatchesForProject",
        "codebuild:ListBuildsForProject",
    ),
)
READ_SERVICES = Statement(
    "ReadServices",
    On.SCOPE,
    ("ecs:DescribeServiceRevisions", "ecs:DescribeServices", "ecs:ListServiceDeployments"),
)
READ_TASKS = Statement(
    "ReadTaskDefinitions",
    On.ANYTHING,
    ("ecs:DescribeTaskDefinition", "ecs:ListTaskDefinitions"),
)
UPDATE_SERVICES = Statement("UpdateServices", On.SCOPE, ("ecs:UpdateService",))
PASS_TASK_ROLES = Statement("PassTaskRoles", On.ANYTHING, ("iam:PassRole",))
"""Which roles those are, and that they are handed to ECS's tasks only, the role itself says."""
READING = (
    "elasticbeanstalk:DescribeApplicationVersions",
    "elasticbeanstalk:DescribeEnvironments",
    "elasticbeanstalk:DescribeEvents",
)
CHANGING = ("elasticbeanstalk:AbortEnvironmentUpdate", "elasticbeanstalk:UpdateEnvironment")
UPDATE_ENVIRONMENTS = Statement(
    "UpdateEnvironments",
    On.SCOPE,
    (*READING, *CHANGING, "elasticbeanstalk:CreateApplicationVersion"),
)
RESTORE_ENVIRONMENTS = Statement("RestoreEnvironments", On.SCOPE, (*READING, *CHANGING))
ONLY_NAMED = (UPDATE_ENVIRONMENTS, RESTORE_ENVIRONMENTS)
"""Only a session that is narrowed to such a thing may do this: all rights together are too long for STS."""
STARTING = ("codedeploy:CreateDeployment", "codedeploy:RegisterApplicationRevision")
STOP = Statement("StopDeployments", On.ANYTHING, ("codedeploy:StopDeployment",))
LIST_SOURCE = Statement("ListSource", On.SCOPE, ("s3:GetBucketVersioning", "s3:ListBucket"))
READ_SOURCE = Statement(
    "ReadSource",
    On.SCOPE,
    (
        "s3:GetObject",
        "s3:GetObjectTagging",
        "s3:GetObjectVersion",
        "s3:GetObjectVersionTagging",
    ),
)
DECRYPT_SOURCE = Statement("DecryptSource", On.SOURCE_KEY, ("kms:Decrypt",))
LIST_ARTIFACTS = Statement(
    "ListArtifacts", On.ARTIFACTS, ("s3:GetBucketVersioning", "s3:ListBucket")
)
READ_ARTIFACTS = Statement("ReadArtifacts", On.ARTIFACTS, ("s3:GetObject", "s3:GetObjectVersion"))
DECRYPT_ARTIFACTS = Statement("DecryptArtifacts", On.KEY, ("kms:Decrypt", "kms:DescribeKey"))

SET_ALARMS = Statement("SetAlarms", On.SCOPE, ("cloudwatch:SetAlarmState",))
"""For drills; the template grants it only where it is told to, and no session asks for it in production."""

READ_PIPELINES = Statement(
    "ReadPipelines",
    On.SCOPE,
    (
        "codepipeline:GetPipeline",
        "codepipeline:GetPipelineState",
        "codepipeline:ListActionExecutions",
        "codepipeline:ListPipelineExecutions",
        "codepipeline:ListPipelines",
        "codepipeline:ListTagsForResource",
        "codepipeline:ListWebhooks",
    ),
)
READ_RULES = Statement(
    "ReadNotificationRules",
    On.SCOPE,
    (
        "codestar-notifications:DescribeNotificationRule",
        "codestar-notifications:ListNotificationRules",
    ),
)
"""Both for `towpath migrate`, whose sessions are not narrowed."""

STATEMENTS: Mapping[Purpose, tuple[Statement, ...]] = {
    Purpose.WATCH: (
        Statement(
            "ReadAlarmsAndMetrics",
            On.ANYTHING,
            (
                "cloudwatch:DescribeAlarms",
                "cloudwatch:DescribeAlarmHistory",
                "cloudwatch:GetMetricData",
                "cloudwatch:ListMetrics",
            ),
        ),
        Statement("ReadCanaries", On.SCOPE, ("synthetics:GetCanary", "synthetics:GetCanaryRuns")),
        Statement(
            "ListCanaries",
            On.ANYTHING,
            ("synthetics:DescribeCanaries", "synthetics:DescribeCanariesLastRun"),
        ),
        Statement(
            "ReadFindings",
            On.ANYTHING,
            (
                "inspector2:BatchGetAccountStatus",
                "inspector2:BatchGetFindingDetails",
                "inspector2:ListCoverage",
                "inspector2:ListFindings",
            ),
        ),
        READ_DEPLOYMENTS,
        READ_TARGETS,
        READ_STACKS,
        READ_SERVICES,
        Statement("ReadEnvironments", On.SCOPE, READING),
        READ_BUILDS,
        LIST_SOURCE,
        READ_SOURCE,
        DECRYPT_SOURCE,
        Statement("ReadRepositories", On.SCOPE, ("codecommit:GetBranch",)),
        Statement("ReadImages", On.SCOPE, ("ecr:BatchGetImage", "ecr:DescribeImages")),
        READ_PIPELINES,
        READ_RULES,
    ),
    Purpose.DEPLOY: (
        Statement("StartDeployments", On.SCOPE, STARTING),
        STOP,
        READ_DEPLOYMENTS,
        READ_TARGETS,
        Statement(
            "UpdateStacks",
            On.SCOPE,
            (
                "cloudformation:CancelUpdateStack",
                "cloudformation:CreateStack",
                "cloudformation:UpdateStack",
            ),
        ),
        READ_STACKS,
        UPDATE_SERVICES,
        Statement("RegisterTasks", On.SCOPE, ("ecs:RegisterTaskDefinition", "ecs:TagResource")),
        READ_SERVICES,
        READ_TASKS,
        PASS_TASK_ROLES,
        UPDATE_ENVIRONMENTS,
        Statement(
            "RunBuilds",
            On.SCOPE,
            (
                "codebuild:StartBuild",
                "codebuild:StartBuildBatch",
                "codebuild:StopBuild",
                "codebuild:StopBuildBatch",
            ),
        ),
        READ_BUILDS,
        LIST_SOURCE,
        READ_SOURCE,
        DECRYPT_SOURCE,
        Statement(
            "ReadRepositories",
            On.SCOPE,
            (
                "codecommit:GetBlob",
                "codecommit:GetBranch",
                "codecommit:GetCommit",
                "codecommit:GetFolder",
            ),
        ),
        LIST_ARTIFACTS,
        READ_ARTIFACTS,
        Statement(
            "WriteArtifacts",
            On.ARTIFACTS,
            (
                "s3:AbortMultipartUpload",
                "s3:ListMultipartUploadParts",
                "s3:PutObject",
                "s3:PutObjectTagging",
            ),
        ),
        Statement("ResumeUploads", On.ARTIFACTS, ("s3:ListBucketMultipartUploads",)),
        Statement("EncryptArtifacts", On.KEY, ("kms:GenerateDataKey",)),
        DECRYPT_ARTIFACTS,
        Statement("LogInToRegistry", On.ANYTHING, ("ecr:GetAuthorizationToken",)),
        Statement(
            "PullImages",
            On.SCOPE,
            (
                "ecr:BatchCheckLayerAvailability",
                "ecr:BatchGetImage",
                "ecr:DescribeImages",
                "ecr:GetDownloadUrlForLayer",
            ),
        ),
        Statement(
            "PushImages",
            On.SCOPE,
            (
                "ecr:CompleteLayerUpload",
                "ecr:InitiateLayerUpload",
                "ecr:PutImage",
                "ecr:UploadLayerPart",
            ),
        ),
        Statement("InvokeChecks", On.SCOPE, ("lambda:InvokeFunction",)),
        Statement("PublishNotices", On.SCOPE, ("sns:Publish",)),
        Statement(
            "SetUpNotices",
            On.SCOPE,
            (
                "sns:CreateTopic",
                "sns:GetTopicAttributes",
                "sns:ListSubscriptionsByTopic",
                "sns:SetTopicAttributes",
                "sns:Subscribe",
            ),
        ),
        Statement("PutStateChanges", On.SCOPE, ("events:PutEvents",)),
        SET_ALARMS,
    ),
    Purpose.ROLLBACK: (
        STOP,
        Statement("RestoreDeployments", On.SCOPE, STARTING),
        Statement("OverrideAlarms", On.SCOPE, ("codedeploy:UpdateDeploymentGroup",)),
        Statement("RestoreAliases", On.SCOPE, ("lambda:GetAlias", "lambda:UpdateAlias")),
        READ_DEPLOYMENTS,
        READ_TARGETS,
        Statement(
            "RestoreStacks",
            On.SCOPE,
            ("cloudformation:CancelUpdateStack", "cloudformation:UpdateStack"),
        ),
        READ_STACKS,
        UPDATE_SERVICES,
        READ_SERVICES,
        READ_TASKS,
        RESTORE_ENVIRONMENTS,
        LIST_ARTIFACTS,
        READ_ARTIFACTS,
        DECRYPT_ARTIFACTS,
    ),
}
"""The statements of each role. DecryptSource, SetAlarms and PassTaskRoles stand in policies of their own."""

TRUST: Mapping[str, str] = {
    "sts:AssumeRole": "TowpathActsHere",
    "sts:TagSession": "TowpathSaysForWhom",
    "sts:SetSourceIdentity": "TowpathSaysForWhom",
}
"""The statements of each role's trust policy."""


def granting(action: str, purpose: Purpose | None = None) -> tuple[str, ...]:
    """Answer the Sids that grant an action, of one role or of any; () where none does."""
    if action in TRUST:
        return (TRUST[action],)
    purposes = list(Purpose) if purpose is None else [purpose]
    found = [
        statement.sid
        for one in purposes
        for statement in STATEMENTS[one]
        if action in statement.actions
    ]
    return tuple(dict.fromkeys(found))
