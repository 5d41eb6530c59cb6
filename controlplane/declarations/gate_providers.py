"""The rules that watch nothing: one literal table, part of `rule_providers.RULES`."""

from controlplane.declarations.build_keys import COMMANDS, PROJECT
from controlplane.declarations.keys import Key, Kind
from controlplane.declarations.provider import Need, Provider

GATE = ("beforeEntry",)
ASKED = ("beforeEntry", "onFailure")
"""Rules that can also say whether a failure is one to roll back for, or to try again after."""
ONCE = (*ASKED, "onSuccess")
"""Rules that end by themselves, and so can also prove a release after its last action (`model.PROOFS`)."""
LOOK = {"Interval": Key("how often to look", Kind.DURATION, least=1, most=3600)}
ZONE = Key("time zone of the IANA database, such as Europe/Berlin (UTC where left out)")
STATES = ("Idle", "Succeeded", "NotHeld", "SameDigest")
OPERATORS = ("EQ", "NE", "CONTAINS", "MATCHES")

GATE_RULES: tuple[Provider, ...] = (
    Provider(
        "Rule",
        "AWS",
        "DeploymentWindow",
        {
            "Cron": Key("minutes that are allowed, as CodePipeline writes them"),
            "TimeZone": ZONE,
            "Allow": Key("iCalendar lines (DTSTART, DTEND, RRULE) of allowed times"),
            "Deny": Key("iCalendar lines of times that are not allowed; they win"),
            "Calendar": Key("days off: iCalendar text, or a calendar's name from the settings"),
            **LOOK,
        },
        place=Need.NONE,
        stands=GATE,
    ),
    Provider(
        "Rule",
        "Custom",
        "OpenIncident",
        {
            "Matchers": Key('which alerts count, such as severity="critical"', required=True),
            "Alertmanager": Key("server, by a name from the settings"),
            "Url": Key("server, by its address", Kind.URL),
            "TokenEnv": Key("environment variable that holds a bearer token"),
            **LOOK,
        },
        place=Need.NONE,
        stands=ASKED,
        most_one=(("Alertmanager", "Url"),),
    ),
    Provider(
        "Rule",
        "Custom",
        "PipelineState",
        {
            "Pipeline": Key("the other pipeline", required=True),
            "Stage": Key("one stage of it (the whole pipeline where left out)"),
            "State": Key("how it must stand", Kind.ENUM, required=True, choices=STATES),
            **LOOK,
        },
        place=Need.NONE,
        stands=GATE,
    ),
    Provider(
        "Rule",
        "Custom",
        "Expression",
        {
            "Expression": Key("CEL over the execution that is true or false", required=True),
            "TimeZone": ZONE,
            **LOOK,
        },
        place=Need.NONE,
        stands=ASKED,
    ),
    Provider(
        "Rule",
        "AWS",
        "VariableCheck",
        {
            "Variable": Key("#{namespace.name}", required=True, empty=True),
            "Operator": Key("how it is compared", Kind.ENUM, required=True, choices=OPERATORS),
            "Value": Key("what it is compared with", required=True),
        },
        place=Need.NONE,
        stands=ONCE,
    ),
    Provider(
        "Rule",
        "AWS",
        "LambdaInvoke",
        {
            "FunctionName": Key("function", required=True),
            "UserParameters": Key("text handed to it", empty=True),
        },
        inputs=(0, 5),
        stands=ONCE,
    ),
    Provider("Rule", "AWS", "CodeBuild", PROJECT, inputs=(0, 5), stands=ONCE),
    Provider("Rule", "AWS", "Commands", COMMANDS, inputs=(0, 10), stands=ONCE, runs_commands=True),
)
