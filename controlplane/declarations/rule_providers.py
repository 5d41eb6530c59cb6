"""The rules that watch and those that stand at a gate: one literal table, and what a bake may say."""

from controlplane.declarations.gate_providers import GATE_RULES
from controlplane.declarations.keys import Key, Kind
from controlplane.declarations.provider import Need, Provider
from controlplane.declarations.words import CONSEQUENCES
from monitors.judge.rules import DIRECTIONS, TESTS
from rollback.consequences import LEGAL, WHY_NOT

WEEK = 7 * 24 * 3600
COMPARISONS = (
    "GreaterThanThreshold",
    "GreaterThanOrEqualToThreshold",
    "LessThanThreshold",
    "LessThanOrEqualToThreshold",
)

BAKE = {
    "BakeTime": Key("how long to watch after the last action", Kind.DURATION, most=WEEK),
    "Interval": Key("how often to look", Kind.DURATION, least=1, most=3600),
    "MinimumSamples": Key("points needed for a verdict", Kind.INTEGER, least=1),
    "MaxAge": Key("a newest point older than this is no data", Kind.DURATION, least=1, most=WEEK),
    "Baseline": Key(
        "how far before the deployment the level before is read", Kind.DURATION, most=8 * WEEK
    ),
    "ExtendUpTo": Key(
        "how much longer it may last where too little was seen", Kind.DURATION, least=1, most=WEEK
    ),
    "Quorum": Key("so many signals must FAIL, where none is critical", Kind.INTEGER, least=1),
    "EndEarly": Key("end before its time once enough was seen", Kind.BOOLEAN),
    "EarlyPower": Key("the chance to have seen a regression by then", Kind.NUMBER),
    "Watch": Key("how long to look on after the stage is done", Kind.DURATION, least=60, most=WEEK),
    **{
        key: Key(
            f"what follows from {verdict}",
            Kind.ENUM,
            choices=tuple(str(one) for one in LEGAL[verdict]),
            why=WHY_NOT[verdict],
        )
        for verdict, key in CONSEQUENCES.items()
    },
}
"""What `bake:` itself may say of all its signals."""

WATCH = {
    **BAKE,
    "Critical": Key("a FAIL of it alone is enough, whatever the quorum", Kind.BOOLEAN),
    "DatapointsToFail": Key("bad points that make a breach", Kind.INTEGER, least=1),
    "RecoveryDatapoints": Key("good points after a rollback", Kind.INTEGER, least=1),
    "DatapointsWindow": Key("of how many of the last points", Kind.INTEGER, least=1),
    "WorseBy": Key(
        "how many times worse than before, where it was bad before", Kind.NUMBER, least=1
    ),
}
JUDGED = {
    **WATCH,
    "Test": Key("how it is judged (threshold)", Kind.ENUM, choices=TESTS),
    "Threshold": Key("the limit", Kind.NUMBER),
    "Comparison": Key("how a bad point compares with it", Kind.ENUM, choices=COMPARISONS),
    "Direction": Key("which way is worse (increase)", Kind.ENUM, choices=DIRECTIONS),
    "MinimumEffect": Key("how many times worse matters (1.5)", Kind.NUMBER, least=1),
    "MinimumRate": Key("share of failed requests that matters (0.005)", Kind.NUMBER),
    "Alpha": Key("false alarms let through in each release (0.01)", Kind.NUMBER),
    "MinimumPower": Key("how surely it would be seen, for a PASS (0.8)", Kind.NUMBER),
    "Objective": Key("per cent of requests promised to be good, such as 99.9", Kind.NUMBER),
}
"""Of rules over numbers; check_tests says which belong to which Test."""

EVERYWHERE = ("beforeEntry", "onSuccess", "onFailure")
RULES: tuple[Provider, ...] = (
    Provider(
        "Rule",
        "AWS",
        "CloudWatchAlarm",
        {"AlarmName": Key("alarm", required=True), **WATCH},
        stands=EVERYWHERE,
    ),
    Provider(
        "Rule",
        "Custom",
        "CloudWatchMetric",
        {
            "Namespace": Key("namespace of the metric"),
            "MetricName": Key("metric"),
            "Dimensions": Key("map of dimensions", Kind.JSON_OBJECT),
            "Statistic": Key("Average, Sum, p99 ..."),
            "Period": Key("seconds", Kind.INTEGER, least=1, most=86400),
            "MetricDataQueries": Key("list as GetMetricData takes it", Kind.JSON_LIST),
            "ResultId": Key("which of the queries is judged"),
            "RequestsMetricName": Key("metric of the requests that errors are of"),
            "RequestsId": Key("the same, as one of the queries"),
            "ControlDimensions": Key("dimensions of what it is compared with", Kind.JSON_OBJECT),
            "ControlId": Key("the same, as one of the queries"),
            **JUDGED,
        },
        stands=EVERYWHERE,
        one_of=(("MetricName", "MetricDataQueries"),),
        most_one=(("RequestsMetricName", "RequestsId"), ("ControlDimensions", "ControlId")),
    ),
    Provider(
        "Rule",
        "Custom",
        "PrometheusQuery",
        {
            "Query": Key("PromQL that answers one number", required=True),
            "Prometheus": Key("server, by a name from the settings"),
            "Url": Key("server, by its address", Kind.URL),
            "Step": Key("distance of the points", Kind.DURATION, least=1),
            "TokenEnv": Key("environment variable that holds a bearer token"),
            "Requests": Key("PromQL of the requests that errors are of"),
            "Control": Key("PromQL of what it is compared with, such as the old version"),
            **JUDGED,
        },
        place=Need.NONE,
        stands=EVERYWHERE,
        one_of=(("Prometheus", "Url"),),
    ),
    *GATE_RULES,
)
