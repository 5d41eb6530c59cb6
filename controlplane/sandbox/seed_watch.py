"""Seeding of what watches an environment: its alarm, its canary, Inspector's coverage."""

from controlplane.sandbox.fleet.metrics import NAMESPACE
from controlplane.sandbox.seed import Clients
from controlplane.sandbox.world import Account


def seed_alarm(client: Clients, account: Account) -> None:
    """Make the alarm on the service's errors: more than two in ten seconds."""
    client("cloudwatch").put_metric_alarm(
        AlarmName=account.alarm,
        AlarmDescription=f"The shop in {account.name} answers its users with errors",
        Namespace=NAMESPACE,
        MetricName="Errors",
        Dimensions=[{"Name": "Environment", "Value": account.name}],
        Statistic="Sum",
        Period=10,
        EvaluationPeriods=1,
        DatapointsToAlarm=1,
        Threshold=2,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="notBreaching",
    )
