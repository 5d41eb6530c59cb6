"""Every channel that events are told on, and what it may be told. One literal table."""

from collections.abc import Mapping

from controlplane.declarations.keys import Key, Kind

NOTIFIERS: Mapping[str, Mapping[str, Key]] = {
    "EventBridge": {
        "Account": Key("account to put events from", required=True),
        "Region": Key("region of the bus, where its ARN does not say it"),
        "EventBusName": Key("bus, by name or ARN; default"),
        "Source": Key("source of the events; towpath.codepipeline, and none that begins with aws."),
    },
    "Slack": {
        "Channel": Key("channel, such as #releases", required=True),
        "Mention": Key(
            "whom a page calls besides whoever started it: none (default), here, channel, or an id"
        ),
    },
    "SNS": {
        "TopicArn": Key("topic", required=True),
        "Account": Key("account to publish from", required=True),
        "Region": Key("region of the topic, where its ARN does not say it"),
        "Stages": Key(
            "stages that it is told of, with commas between; left out, all and the pipeline"
        ),
    },
    "Webhook": {
        "Url": Key("where to post", Kind.URL, required=True),
        "SecretEnv": Key("environment variable with the signing secret", required=True),
    },
}
