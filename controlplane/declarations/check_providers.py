"""The providers that build, test, ask a function or ask a person: one literal table."""

from controlplane.declarations.approval_keys import APPROVAL_KEYS
from controlplane.declarations.build_keys import COMMANDS, PROJECT
from controlplane.declarations.keys import Key, Kind
from controlplane.declarations.provider import Need, Provider
from controlplane.declarations.wave_keys import GATE, GATE_KEYS

SEVERITIES = ("INFORMATIONAL", "LOW", "MEDIUM", "HIGH", "CRITICAL", "UNTRIAGED")
COVERED = (
    "AWS_EC2_INSTANCE",
    "AWS_ECR_CONTAINER_IMAGE",
    "AWS_LAMBDA_FUNCTION",
)

BUILDS: tuple[Provider, ...] = (
    Provider("Build", "AWS", "CodeBuild", PROJECT, inputs=(1, 5), outputs=(0, 5)),
    Provider("Test", "AWS", "CodeBuild", PROJECT, inputs=(1, 5), outputs=(0, 5)),
    Provider(
        "Compute", "AWS", "Commands", COMMANDS, inputs=(0, 10), outputs=(0, 1), runs_commands=True
    ),
)

CHECKS: tuple[Provider, ...] = (
    Provider(
        "Test",
        "Custom",
        "InspectorFindings",
        {
            "ResourceType": Key("what Inspector covers", Kind.ENUM, True, choices=COVERED),
            "ResourceIds": Key("resources, with commas between them"),
            "TagKey": Key("tag by which the resources are found"),
            "TagValue": Key("and its value"),
            "FailOn": Key("lowest severity that fails (HIGH)", Kind.ENUM, choices=SEVERITIES),
            "NewOnly": Key("only what the digest now in the target has not", Kind.BOOLEAN),
            "FixAvailable": Key("only what has a fix", Kind.BOOLEAN),
            "Exploit": Key("only what has a known exploit", Kind.BOOLEAN),
            "Suppressions": Key("list of id, until (a date), reason", Kind.JSON_LIST),
            "CoverageTimeout": Key("how long to wait for the scan", Kind.DURATION, least=1),
        },
        inputs=(0, 1),
        most_one=(("ResourceIds", "TagKey"),),
    ),
    Provider(
        "Test",
        "Custom",
        "SyntheticsCanary",
        {
            "CanaryName": Key("canary", required=True),
            "Runs": Key("passed runs wanted after the deployment", Kind.INTEGER, least=1),
            "HarnessRetries": Key("runs that may fail in the canary itself", Kind.INTEGER),
        },
    ),
    Provider(
        "Test",
        "Custom",
        "HttpJourney",
        {
            "Steps": Key(
                "list of name, method, url, headers, body, expect (status, json, contains, "
                "maxLatencyMs)",
                Kind.JSON_LIST,
                required=True,
            ),
            "BaseUrl": Key("what the steps' urls start from", Kind.URL),
            "Site": Key("the same, by a name from the settings"),
            "Timeout": Key("for each step", Kind.DURATION, least=1, most=10),
            "Attempts": Key("how often to try the whole journey", Kind.INTEGER, least=1),
            "Every": Key("how far apart the tries are", Kind.DURATION, least=1),
        },
        place=Need.NONE,
        most_one=(("BaseUrl", "Site"),),
    ),
    Provider(
        "Test",
        "Custom",
        "NoOp",
        {"Result": Key("how it ends", Kind.ENUM, choices=("SUCCEEDED", "FAILED"))},
        inputs=(0, 5),
        place=Need.NONE,
    ),
    Provider("Test", "Custom", GATE, GATE_KEYS, place=Need.NONE),
    Provider(
        "Invoke",
        "AWS",
        "Lambda",
        {
            "FunctionName": Key("function", required=True),
            "UserParameters": Key("text handed to it", empty=True),
            "ResultFrom": Key(
                "report: it tells by PutJobSuccessResult or PutJobFailureResult how it went (report); "
                "answer: what it answers is the result",
                Kind.ENUM,
                choices=("report", "answer"),
                literal=True,
            ),
        },
        inputs=(0, 5),
        outputs=(0, 5),
    ),
    Provider(
        "Approval",
        "AWS",
        "Manual",
        {
            "CustomData": Key("what the approver should know", empty=True),
            "ExternalEntityLink": Key("where to look", Kind.URL),
            "NotificationArn": Key("SNS topic to tell"),
            **APPROVAL_KEYS,
        },
        place=Need.OPTIONAL,
    ),
)
