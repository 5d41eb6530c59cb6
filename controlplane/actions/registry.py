"""Every driver that we have, by category, owner and provider: literal tables, and no other list.

Adding one touches its file and one line here (and its entry in declarations.providers); the
conformance suite finds it.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from accounts.breaker import Breakers
from controlplane.actions.approval import Approval
from controlplane.actions.base import ActionDriver
from controlplane.actions.beanstalk import Beanstalk
from controlplane.actions.beanstalk_back import BeanstalkRestore, BeanstalkStop
from controlplane.actions.cloudformation import CloudFormation
from controlplane.actions.cloudformation_back import CloudFormationRestore, CloudFormationStop
from controlplane.actions.codebuild import CodeBuild
from controlplane.actions.codecommit import CodeCommit
from controlplane.actions.codedeploy import CodeDeploy
from controlplane.actions.codedeploy_restore import CodeDeployRestore
from controlplane.actions.codedeploy_stop import CodeDeployStop
from controlplane.actions.ecr_promote import EcrPromote
from controlplane.actions.ecr_source import EcrSource
from controlplane.actions.ecs import Ecs
from controlplane.actions.ecs_back import EcsRestore, EcsStop
from controlplane.actions.git.base import Hosts
from controlplane.actions.git.source import GitSource
from controlplane.actions.job_lambda import JobLambda
from controlplane.actions.job_outputs import JobOutputs
from controlplane.actions.job_worker import JobWorker
from controlplane.actions.noop import NoOp
from controlplane.actions.s3_promote import S3Promote
from controlplane.actions.s3_source import S3Source
from controlplane.actions.store_copy import StoreCopy
from controlplane.actions.watch import RecoveryDriver, WatchDriver
from controlplane.actions.wave_bake import WaveBake
from controlplane.gates.deployment_window import Calendars, DeploymentWindow
from controlplane.gates.expression import expression_rule
from controlplane.gates.freeze import freeze_rule
from controlplane.gates.open_incident import Alertmanager, OpenIncident
from controlplane.gates.pipeline_state import pipeline_state_rule
from controlplane.gates.signal import SignalGate
from controlplane.gates.variable_check import VariableCheck
from monitors.registry import CHECKS, SIGNALS, Parts

__all__ = ["ACTIONS", "GATES", "JOBS", "RULES", "Parts", "drivers"]

Key = tuple[str, str, str]
"""Category, owner, provider."""

ACTIONS: Mapping[Key, Callable[[Parts], ActionDriver]] = MappingProxyType(
    {
        ("Source", "AWS", "S3"): lambda parts: S3Source(parts.clients),
        ("Source", "AWS", "CodeStarSourceConnection"): lambda parts: GitSource(
            parts.clients, Hosts({}) if parts.git is None else parts.git
        ),
        ("Source", "AWS", "CodeCommit"): lambda parts: CodeCommit(parts.clients),
        ("Source", "AWS", "ECR"): lambda parts: EcrSource(parts.clients),
        ("Build", "AWS", "CodeBuild"): lambda parts: CodeBuild(parts.clients),
        ("Test", "AWS", "CodeBuild"): lambda parts: CodeBuild(parts.clients),
        ("Compute", "AWS", "Commands"): lambda parts: CodeBuild(
            parts.clients, commands_project=parts.commands_project
        ),
        ("Deploy", "Custom", "S3Promote"): lambda parts: S3Promote(parts.clients),
        ("Deploy", "Custom", "ECRPromote"): lambda parts: EcrPromote(parts.clients, parts.http),
        ("Deploy", "AWS", "CodeDeploy"): lambda parts: CodeDeploy(parts.clients, parts.heard),
        ("Deploy", "Custom", "CodeDeployStop"): lambda parts: CodeDeployStop(parts.clients),
        ("Deploy", "Custom", "CodeDeployRestore"): lambda parts: CodeDeployRestore(parts.clients),
        ("Deploy", "AWS", "CloudFormation"): lambda parts: CloudFormation(parts.clients),
        ("Deploy", "Custom", "CloudFormationStop"): lambda parts: CloudFormationStop(parts.clients),
        ("Deploy", "Custom", "CloudFormationRestore"): lambda parts: CloudFormationRestore(
            parts.clients
        ),
        ("Deploy", "AWS", "ECS"): lambda parts: Ecs(parts.clients),
        ("Deploy", "Custom", "ECSStop"): lambda parts: EcsStop(parts.clients),
        ("Deploy", "Custom", "ECSRestore"): lambda parts: EcsRestore(parts.clients),
        ("Deploy", "AWS", "ElasticBeanstalk"): lambda parts: Beanstalk(parts.clients),
        ("Deploy", "Custom", "ElasticBeanstalkStop"): lambda parts: BeanstalkStop(parts.clients),
        ("Deploy", "Custom", "ElasticBeanstalkRestore"): lambda parts: BeanstalkRestore(
            parts.clients
        ),
        ("Test", "Custom", "InspectorFindings"): CHECKS["InspectorFindings"],
        ("Test", "Custom", "SyntheticsCanary"): CHECKS["SyntheticsCanary"],
        ("Test", "Custom", "HttpJourney"): CHECKS["HttpJourney"],
        ("Test", "Custom", "NoOp"): lambda _: NoOp(),
        ("Test", "Custom", "WaveBake"): lambda _: WaveBake(),
        ("Test", "Custom", "CloudWatchAlarmRecovered"): lambda parts: RecoveryDriver(
            SIGNALS["CloudWatchAlarm"](parts)
        ),
        ("Test", "Custom", "CloudWatchMetricRecovered"): lambda parts: RecoveryDriver(
            SIGNALS["CloudWatchMetric"](parts)
        ),
        ("Test", "Custom", "PrometheusQueryRecovered"): lambda parts: RecoveryDriver(
            SIGNALS["PrometheusQuery"](parts)
        ),
        ("Invoke", "AWS", "Lambda"): CHECKS["Lambda"],
        ("Approval", "AWS", "Manual"): lambda _: Approval(),
    }
)
"""What an action may be."""

JOBS: Mapping[Key, Callable[[Parts], ActionDriver]] = MappingProxyType(
    {
        ("Job", "Towpath", "Worker"): lambda _: JobWorker(),
        ("Job", "Towpath", "Lambda"): lambda parts: JobLambda(
            parts.clients, parts.lender, parts.opened
        ),
        ("Job", "Towpath", "Outputs"): lambda parts: JobOutputs(parts.clients),
        ("Job", "Towpath", "StoreCopy"): lambda parts: StoreCopy(parts.clients),
    }
)
"""What does an action that is done outside: which of them, its type's executor says. StoreCopy comes before
any action whose inputs lie in the artifact store of another region."""

RULES: Mapping[Key, Callable[[Parts], ActionDriver]] = MappingProxyType(
    {
        ("Rule", "AWS", "CloudWatchAlarm"): lambda parts: WatchDriver(
            SIGNALS["CloudWatchAlarm"](parts)
        ),
        ("Rule", "Custom", "CloudWatchMetric"): lambda parts: WatchDriver(
            SIGNALS["CloudWatchMetric"](parts)
        ),
        ("Rule", "Custom", "PrometheusQuery"): lambda parts: WatchDriver(
            SIGNALS["PrometheusQuery"](parts)
        ),
    }
)
"""What a rule may watch."""

GATES: Mapping[Key, Callable[[Parts], ActionDriver]] = MappingProxyType(
    {
        ("Gate", "AWS", "DeploymentWindow"): lambda parts: DeploymentWindow(
            Calendars(parts.http, parts.now, parts.calendars)
        ),
        ("Gate", "AWS", "CloudWatchAlarm"): lambda parts: SignalGate(
            SIGNALS["CloudWatchAlarm"](parts)
        ),
        ("Gate", "Custom", "CloudWatchMetric"): lambda parts: SignalGate(
            SIGNALS["CloudWatchMetric"](parts)
        ),
        ("Gate", "Custom", "PrometheusQuery"): lambda parts: SignalGate(
            SIGNALS["PrometheusQuery"](parts)
        ),
        ("Gate", "Custom", "OpenIncident"): lambda parts: OpenIncident(
            Alertmanager(
                parts.http,
                parts.now,
                parts.alertmanager,
                parts.environ,
                parts.breakers or Breakers(parts.now),
            )
        ),
        ("Gate", "Custom", "PipelineState"): lambda _: pipeline_state_rule(),
        ("Gate", "Custom", "Expression"): lambda _: expression_rule(),
        ("Gate", "AWS", "VariableCheck"): lambda _: VariableCheck(),
        ("Gate", "AWS", "LambdaInvoke"): CHECKS["Lambda"],
        ("Gate", "AWS", "CodeBuild"): lambda parts: CodeBuild(parts.clients),
        ("Gate", "AWS", "Commands"): lambda parts: CodeBuild(
            parts.clients, commands_project=parts.commands_project
        ),
        ("Gate", "Custom", "Freeze"): lambda _: freeze_rule(),
    }
)
"""What may stand in front of a stage: the same signal answers other questions there than in a bake."""


def drivers(parts: Parts) -> dict[Key, ActionDriver]:
    """Make every driver once; they are safe under threads and shared by all tasks."""
    tables = (ACTIONS, JOBS, RULES, GATES)
    return {key: make(parts) for table in tables for key, make in table.items()}
