"""The providers that put something on a target, and their ways back: one literal table."""

from controlplane.declarations.keys import Key, Kind
from controlplane.declarations.provider import Provider

CODEDEPLOY = {
    "ApplicationName": Key("CodeDeploy application", required=True),
    "DeploymentGroupName": Key("CodeDeploy deployment group", required=True),
}
STACK = {
    "StackName": Key("CloudFormation stack", required=True),
    "TemplatePath": Key("Artifact::path of the template, where the artifact is a zip"),
    "ParameterOverrides": Key("map of parameters", Kind.JSON_OBJECT),
    "Capabilities": Key("CAPABILITY_IAM ..., with commas between them"),
    "RoleArn": Key("role that CloudFormation acts by, where it is not the stack's own"),
}
MODE = {
    "ActionMode": Key("create the stack or update it", Kind.ENUM, True, choices=("CREATE_UPDATE",))
}
SERVICE = {
    "ClusterName": Key("ECS cluster", required=True),
    "ServiceName": Key("ECS service, which ECS itself deploys", required=True),
}
ENVIRONMENT = {
    "ApplicationName": Key("Elastic Beanstalk application", required=True),
    "EnvironmentName": Key("Elastic Beanstalk environment", required=True),
}
UNDONE = {"DeploymentToken": Key("token of the operation that is undone", required=True)}
REVISION = {
    "RevisionLocation": Key("the copy to go back to, s3://bucket/key", required=True),
    "RevisionVersion": Key("its VersionId", required=True, empty=True),
    "RevisionDigest": Key("its digest, sha256:...", required=True),
}
WAY_BACK = {
    "RollbackSafe": Key(
        "false: a one-way door, which asks for an approval and is never rolled back by itself",
        Kind.BOOLEAN,
        literal=True,
    ),
    "MaxRollbacks": Key(
        "rollbacks in the window that hold the pipeline (3)", Kind.INTEGER, least=1, literal=True
    ),
    "RollbackWindow": Key(
        "how far back rollbacks are counted (24h)", Kind.DURATION, least=60, literal=True
    ),
}
"""What the way back of a deployment may be told: ours, not CodePipeline's."""


DEPLOYS: tuple[Provider, ...] = (
    Provider(
        "Deploy",
        "Custom",
        "S3Promote",
        {"KeyPrefix": Key("prefix of the copy's key in the account's artifact bucket")},
        inputs=(1, 1),
        outputs=(1, 1),
    ),
    Provider(
        "Deploy",
        "Custom",
        "ECRPromote",
        {"RepositoryName": Key("repository to promote into", required=True)},
        inputs=(1, 1),
        outputs=(1, 1),
    ),
    Provider(
        "Deploy", "AWS", "CodeDeploy", {**CODEDEPLOY, **WAY_BACK}, inputs=(1, 1), deploys=True
    ),
    Provider(
        "Deploy",
        "Custom",
        "CodeDeployStop",
        {
            **CODEDEPLOY,
            "DeploymentToken": Key("token that the deployment was started under", required=True),
            "DeploymentId": Key("its id, empty where unknown", required=True, empty=True),
            "QuarantinedRevisions": Key(
                "copies that CodeDeploy must not put back: a list of [location, version]"
            ),
        },
    ),
    Provider(
        "Deploy",
        "Custom",
        "CodeDeployRestore",
        {
            **CODEDEPLOY,
            **REVISION,
            "DeploymentToken": Key("token of the deployment that is undone: no other is"),
            "DeploymentId": Key("and its id, empty where unknown", empty=True),
        },
        deploys=True,
    ),
    Provider(
        "Deploy",
        "AWS",
        "CloudFormation",
        {**MODE, **STACK, **WAY_BACK},
        inputs=(1, 1),
        deploys=True,
    ),
    Provider("Deploy", "Custom", "CloudFormationStop", {**STACK, **UNDONE}),
    Provider(
        "Deploy", "Custom", "CloudFormationRestore", {**STACK, **UNDONE, **REVISION}, deploys=True
    ),
    Provider(
        "Deploy",
        "AWS",
        "ECS",
        {
            **SERVICE,
            "FileName": Key("the image definitions in the artifact (imagedefinitions.json)"),
            "DeploymentTimeout": Key(
                "minutes until it is to be done", Kind.INTEGER, least=1, most=60
            ),
            **WAY_BACK,
        },
        inputs=(1, 1),
        deploys=True,
    ),
    Provider(
        "Deploy",
        "Custom",
        "ECSStop",
        {
            **SERVICE,
            **UNDONE,
            "DeploymentId": Key("task definition that it made, empty where unknown", empty=True),
            "RestoredDigest": Key("what is restored next: this goes there, and to nothing else"),
        },
    ),
    Provider(
        "Deploy",
        "Custom",
        "ECSRestore",
        {
            **SERVICE,
            **UNDONE,
            "DeploymentId": Key("task definition that it made, empty where unknown", empty=True),
            **REVISION,
        },
        deploys=True,
    ),
    Provider(
        "Deploy",
        "AWS",
        "ElasticBeanstalk",
        {**ENVIRONMENT, **WAY_BACK},
        inputs=(1, 1),
        deploys=True,
    ),
    Provider(
        "Deploy",
        "Custom",
        "ElasticBeanstalkStop",
        {
            **ENVIRONMENT,
            **UNDONE,
            "DeploymentId": Key("label of the version that it made", empty=True),
        },
    ),
    Provider(
        "Deploy",
        "Custom",
        "ElasticBeanstalkRestore",
        {
            **ENVIRONMENT,
            **UNDONE,
            "DeploymentId": Key("label of the version that it made", empty=True),
            **REVISION,
        },
        deploys=True,
    ),
)
