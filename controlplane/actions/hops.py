"""What each provider will call, as read-only hops that the doctor walks before a release does.

By provider in a literal table, and by account (its artifact bucket and key, which only the registry
knows). No hop changes anything, so a right that only a changing call would show is not proven.
"""

from collections.abc import Callable, Mapping
from typing import Any

from accounts.models import Account, Purpose
from accounts.preflight import Hop, Problem
from controlplane.actions.stores import expected
from monitors.base import Store

Configuration = Mapping[str, str]
Maker = Callable[[Configuration, str, str], list[Hop]]
"""(configuration, account, region) -> the hops of one action or rule."""

ONE_BYTE = "bytes=0-0"
NO_ALARM = "There is no alarm"
ALARM_TYPES = ["MetricAlarm", "CompositeAlarm"]


def account_hops(account: Account, region: str) -> list[Hop]:
    """Make the hops that promotion into an account, and the way back, need of bucket and key."""
    bucket = account.artifact_bucket
    owned = {"Bucket": bucket, "ExpectedBucketOwner": account.id}
    made: list[Hop] = []
    for purpose in (Purpose.DEPLOY, Purpose.ROLLBACK):
        where = (account.name, region, purpose)
        made.append(
            Hop(
                *where,
                "s3",
                "get_bucket_versioning",
                owned,
                "ListArtifacts",
                f"the artifact bucket {bucket} is versioned",
                _versioned(bucket),
            )
        )
        if account.artifact_key:
            key = {"KeyId": account.artifact_key}
            why = f"the {purpose} role may use the artifact key"
            made.append(Hop(*where, "kms", "describe_key", key, "DecryptArtifacts", why, _enabled))
    return made


def store_hops(store: Store, account: Account, region: str, pipeline: str) -> list[Hop]:
    """Make the hops that an action in an account needs of the pipeline's own artifact store, bucket and key."""
    where = (account.name, region, Purpose.DEPLOY)
    named = f"{store.bucket}, the artifact store of {pipeline} in {region}"
    owned: dict[str, str] = {"Bucket": store.bucket, **expected(store)}
    versioned, why = _versioned(store.bucket), f"{named}, is versioned"
    made = [
        Hop(*where, "s3", "get_bucket_versioning", owned, "ListArtifacts", why, versioned),
    ]
    if store.key:
        why, key = f"the deploy role may use {store.key}, the key of {named}", {"KeyId": store.key}
        made.append(Hop(*where, "kms", "describe_key", key, "DecryptArtifacts", why, _enabled))
    return made


def _s3_source(configuration: Configuration, account: str, region: str) -> list[Hop]:
    bucket, key = configuration.get("S3Bucket", ""), configuration.get("S3ObjectKey", "")
    where = (account, region, Purpose.WATCH, "s3")
    why = f"read and decrypt s3://{bucket}/{key}"
    # One byte is enough: KMS is asked before the first.
    one = {"Bucket": bucket, "Key": key, "Range": ONE_BYTE}
    versioned = f"the source bucket {bucket} is versioned"
    return [
        Hop(
            *where,
            "get_bucket_versioning",
            {"Bucket": bucket},
            "ListSource",
            versioned,
            _versioned(bucket),
        ),
        Hop(*where, "get_object", one, "ReadSource", why),
    ]


def _ecr_source(configuration: Configuration, account: str, region: str) -> list[Hop]:
    repository, tag = configuration.get("RepositoryName", ""), configuration.get("ImageTag")
    image = {"imageTag": tag or "latest"}
    asked = {"repositoryName": repository, "imageIds": [image]}
    why = f"look up {repository}:{image['imageTag']}"
    where = (account, region, Purpose.WATCH, "ecr")
    return [Hop(*where, "describe_images", asked, "ReadImages", why)]


def _codecommit(configuration: Configuration, account: str, region: str) -> list[Hop]:
    """Read the branch as who polls it, and as who brings its files."""
    repository, branch = (
        configuration.get("RepositoryName", ""),
        configuration.get("BranchName", ""),
    )
    asked = {"repositoryName": repository, "branchName": branch}
    why = f"find branch {branch} of {repository}"
    return [
        Hop(account, region, one, "codecommit", "get_branch", asked, "ReadRepositories", why)
        for one in (Purpose.WATCH, Purpose.DEPLOY)
    ]


def _project(configuration: Configuration, account: str, region: str) -> list[Hop]:
    """Read the project as who starts builds, and as who follows them."""
    name, bucket = configuration.get("ProjectName", ""), configuration.get("ArtifactBucket", "")

    def there(answer: Mapping[str, Any]) -> Problem | None:
        if answer.get("projects"):
            return None
        return (
            f"There is no CodeBuild project {name} in {account}.",
            "Create it, or correct ProjectName.",
        )

    why, asked = f"find the CodeBuild project {name}", {"names": [name]}
    hops = [
        Hop(
            account, region, one, "codebuild", "batch_get_projects", asked, "ReadBuilds", why, there
        )
        for one in (Purpose.DEPLOY, Purpose.WATCH)
        if name  # or else the settings name it
    ]
    if bucket:
        why, asked_s3 = f"the bucket {bucket} of what is built is versioned", {"Bucket": bucket}
        where = (account, region, Purpose.DEPLOY, "s3", "get_bucket_versioning")
        hops.append(Hop(*where, asked_s3, "ListSource", why, _versioned(bucket)))
    return hops


def _ecr_promote(configuration: Configuration, account: str, region: str) -> list[Hop]:
    repository = configuration.get("RepositoryName", "")
    asked = {"repositoryName": repository, "maxResults": 1}
    where = (account, region, Purpose.DEPLOY, "ecr")
    return [
        Hop(*where, "describe_images", asked, "PullImages", f"find the repository {repository}")
    ]


def _codedeploy(configuration: Configuration, account: str, region: str) -> list[Hop]:
    """Read the group as who deploys and who rolls back, its deployments as who watches."""
    group = {
        "applicationName": configuration.get("ApplicationName", ""),
        "deploymentGroupName": configuration.get("DeploymentGroupName", ""),
    }
    name = "/".join(group.values())

    def hop(purpose: Purpose, operation: str, why: str) -> Hop:
        return Hop(account, region, purpose, "codedeploy", operation, group, "ReadDeployments", why)

    return [
        hop(Purpose.DEPLOY, "get_deployment_group", f"describe the deployment group {name}"),
        hop(Purpose.WATCH, "list_deployments", f"follow deployments of {name}"),
        *_way_back(configuration, account, region),
    ]


def _way_back(configuration: Configuration, account: str, region: str) -> list[Hop]:
    group = {
        "applicationName": configuration.get("ApplicationName", ""),
        "deploymentGroupName": configuration.get("DeploymentGroupName", ""),
    }
    why = f"describe {'/'.join(group.values())} for the way back"
    where = (account, region, Purpose.ROLLBACK, "codedeploy")
    return [Hop(*where, "get_deployment_group", group, "ReadDeployments", why)]


def _stack(configuration: Configuration, account: str, region: str) -> list[Hop]:
    """Read the stack as who updates it, who rolls it back and who watches."""
    name = configuration.get("StackName", "")
    why, asked = f"describe the stack {name}", {"StackName": name}
    return [
        Hop(account, region, one, "cloudformation", "describe_stacks", asked, "ReadStacks", why)
        for one in (Purpose.DEPLOY, Purpose.ROLLBACK, Purpose.WATCH)
    ]


def _service(configuration: Configuration, account: str, region: str) -> list[Hop]:
    """Read the service as who updates it, who rolls it back and who watches."""
    cluster, name = configuration.get("ClusterName", ""), configuration.get("ServiceName", "")
    asked = {"cluster": cluster, "services": [name]}

    def there(answer: Mapping[str, Any]) -> Problem | None:
        if answer.get("services"):
            return None
        missing = f"There is no ECS service {cluster}/{name} in {account}."
        return missing, "Create it, or correct ClusterName and ServiceName."

    why = f"describe the service {cluster}/{name}"
    return [
        Hop(account, region, one, "ecs", "describe_services", asked, "ReadServices", why, there)
        for one in (Purpose.DEPLOY, Purpose.ROLLBACK, Purpose.WATCH)
    ]


def _environment(configuration: Configuration, account: str, region: str) -> list[Hop]:
    """Read the environment as who watches it; who deploys may do so of one that his session names."""
    application, name = (
        configuration.get("ApplicationName", ""),
        configuration.get("EnvironmentName", ""),
    )

    def there(answer: Mapping[str, Any]) -> Problem | None:
        if answer.get("Environments"):
            return None
        missing = f"There is no environment {application}/{name} in {account}."
        return missing, "Create it, or correct ApplicationName and EnvironmentName."

    asked = {"ApplicationName": application, "EnvironmentNames": [name]}
    where = (account, region, Purpose.WATCH, "elasticbeanstalk", "describe_environments")
    why = f"describe the environment {application}/{name}"
    return [Hop(*where, asked, "ReadEnvironments", why, there)]


def _inspector(configuration: Configuration, account: str, region: str) -> list[Hop]:
    kind = configuration.get("ResourceType", "")
    filters = {"resourceType": [{"comparison": "EQUALS", "value": kind}]}
    where = (account, region, Purpose.WATCH, "inspector2")

    def covered(answer: Mapping[str, Any]) -> Problem | None:
        if answer.get("coveredResources"):
            return None
        return f"Inspector covers no {kind} in {account}.", "Enable Inspector for it."

    asked = {"filterCriteria": filters, "maxResults": 1}
    why = f"Inspector's coverage of {kind}"
    return [
        Hop(*where, "list_coverage", asked, "ReadFindings", why, covered),
        Hop(*where, "list_findings", {"maxResults": 1}, "ReadFindings", "Inspector's findings"),
    ]


def _canary(configuration: Configuration, account: str, region: str) -> list[Hop]:
    name = configuration.get("CanaryName", "")
    where = (account, region, Purpose.WATCH, "synthetics")
    runs = {"Name": name, "MaxResults": 1}
    return [
        Hop(*where, "describe_canaries", {"Names": [name]}, "ListCanaries", f"canary {name}"),
        Hop(*where, "get_canary_runs", runs, "ReadCanaries", f"runs of canary {name}"),
    ]


def _lambda(configuration: Configuration, account: str, region: str) -> list[Hop]:
    why = f"assume the role that invokes {configuration.get('FunctionName', '')}"
    return [Hop(account, region, Purpose.DEPLOY, why=why)]


def _alarm(configuration: Configuration, account: str, region: str) -> list[Hop]:
    name = configuration.get("AlarmName", "")

    def well(answer: Mapping[str, Any]) -> Problem | None:
        found = [*answer.get("MetricAlarms", ()), *answer.get("CompositeAlarms", ())]
        if not found:
            return f"{NO_ALARM} {name} in {account}.", "Create it, or correct AlarmName."
        if found[0].get("StateValue") == "ALARM":
            mend = "Mend what it tells of: a release could not be told from it."
            return f"Alarm {name} in {account} is in ALARM already.", mend
        return None

    asked = {"AlarmNames": [name], "AlarmTypes": ALARM_TYPES}
    where = (account, region, Purpose.WATCH, "cloudwatch")
    return [
        Hop(*where, "describe_alarms", asked, "ReadAlarmsAndMetrics", f"read alarm {name}", well)
    ]


def _metric(configuration: Configuration, account: str, region: str) -> list[Hop]:
    """Only a metric by its name can be looked up; queries are first asked by the rule itself."""
    name = configuration.get("MetricName", "")
    if not name:
        return []
    asked = {"Namespace": configuration.get("Namespace", ""), "MetricName": name}

    def there(answer: Mapping[str, Any]) -> Problem | None:
        if answer.get("Metrics"):
            return None
        missing = f"CloudWatch in {account} has no metric {name} of late."
        return missing, "Let the service send it, or correct Namespace and MetricName."

    where = (account, region, Purpose.WATCH, "cloudwatch")
    return [
        Hop(*where, "list_metrics", asked, "ReadAlarmsAndMetrics", f"find metric {name}", there)
    ]


def _versioned(bucket: str) -> Callable[[Mapping[str, Any]], Problem | None]:
    def check(answer: Mapping[str, Any]) -> Problem | None:
        if answer.get("Status") == "Enabled":
            return None
        return f"Bucket {bucket} is not versioned.", "Turn versioning on, before anything is in it."

    return check


def _enabled(answer: Mapping[str, Any]) -> Problem | None:
    state = answer.get("KeyMetadata", {}).get("KeyState", "")
    return None if state == "Enabled" else (f"The artifact key is {state}.", "Enable the key.")


HOPS: Mapping[str, Maker] = {
    "S3": _s3_source,
    "ECR": _ecr_source,
    "CodeCommit": _codecommit,
    "ECRPromote": _ecr_promote,
    "CodeDeploy": _codedeploy,
    "CodeDeployStop": _way_back,
    "CodeDeployRestore": _way_back,
    "CloudFormation": _stack,
    "CloudFormationStop": _stack,
    "CloudFormationRestore": _stack,
    "ECS": _service,
    "ECSStop": _service,
    "ECSRestore": _service,
    "ElasticBeanstalk": _environment,
    "ElasticBeanstalkStop": _environment,
    "ElasticBeanstalkRestore": _environment,
    "CodeBuild": _project,
    "Commands": _project,
    "InspectorFindings": _inspector,
    "SyntheticsCanary": _canary,
    "Lambda": _lambda,
    "LambdaInvoke": _lambda,
    "CloudWatchAlarm": _alarm,
    "CloudWatchAlarmRecovered": _alarm,
    "CloudWatchMetric": _metric,
    "CloudWatchMetricRecovered": _metric,
}
"""By provider; one that is not here asks nothing of AWS that could be read beforehand."""
