"""A pipeline of the friendly YAML, or the JSON of get-pipeline -> CodePipeline's spelling."""

from accounts.yaml_text import Path
from controlplane.declarations.expand import Reading, Tree
from controlplane.declarations.findings import meant
from controlplane.declarations.items import configuration
from controlplane.declarations.meaning import resolve
from controlplane.declarations.stages import Stage
from controlplane.declarations.words import (
    CHANNELS,
    NOTIFY_KEYS,
    PIPELINE,
    PIPELINE_KEYS,
    configuration_key,
)

KEPT = (
    "roleArn",
    "artifactStore",
    "artifactStores",
    "version",
    "pipelineType",
    "variables",
)
"""What has no friendly spelling of its own."""


def expand_pipeline(data: object) -> tuple[Tree, Reading]:
    """Answer the tree in CodePipeline's spelling, and what was seen on the way.

    `{"pipeline": {...}, "metadata": ...}`, as get-pipeline answers, is taken for what is inside.
    """
    reading = Reading()
    source: Path = ()
    if isinstance(data, dict) and isinstance(data.get("pipeline"), dict):
        data = reading.mapping(data, (), ("pipeline", "metadata"))["pipeline"]
        source = ("pipeline",)
        reading.origin[()] = source
    given = reading.mapping(data, source, PIPELINE_KEYS)
    return _Pipeline(reading, source).expand(given), reading


class _Pipeline:
    def __init__(self, reading: Reading, source: Path) -> None:
        self.reading = reading
        self.source = source

    def expand(self, given: Tree) -> Tree:
        out: Tree = {}
        for word in KEPT:
            if word in given:
                self.reading.keep(out, (word,), (*self.source, word), given[word])
        if "triggers" in given:
            self.reading.keep(out, ("triggers",), (*self.source, "triggers"), [])
            out["triggers"] = resolve(given["triggers"])
        self._friendly(given, out)
        if "stages" in given:
            paths = (("stages",), (*self.source, "stages"))
            out["stages"] = self.reading.each(
                given["stages"], paths, lambda *item: Stage(self.reading).expand(*item)
            )
        return out

    def _friendly(self, given: Tree, out: Tree) -> None:
        used = {
            own: self.reading.either(given, self.source, word, own)
            for word, own in PIPELINE.items()
        }
        name, mode, notify = used["name"], used["executionMode"], used["notifications"]
        if name is not None:
            self.reading.keep(out, ("name",), (*self.source, name), given[name])
        if mode is not None:
            self.reading.keep(out, ("executionMode",), (*self.source, mode), given[mode])
            out["executionMode"] = str(out["executionMode"]).upper()
        if notify is not None:
            paths = (("notifications",), (*self.source, notify))
            out["notifications"] = self.reading.each(given[notify], paths, self._notification)

    def _notification(self, value: object, target: Path, source: Path) -> Tree:
        """Expand `slack: {channel: ...}`, or provider and configuration."""
        given = self.reading.mapping(value, source, NOTIFY_KEYS)
        out: Tree = {}
        if "events" in given:
            self.reading.keep(out, (*target, "events"), (*source, "events"), given["events"])
        used = self.reading.either(given, source, *CHANNELS, "provider")
        if used is None:
            self.reading.wrong(source, f"names no channel{meant('', CHANNELS)}")
            out["provider"] = "Slack"
        elif used in CHANNELS:
            self._channel(used, given[used], out, (target, source))
        else:
            self.reading.keep(out, (*target, "provider"), (*source, used), given[used])
        word = self.reading.either(given, source, "with", "configuration")
        if word is not None:
            self.reading.origin[(*target, "configuration")] = (*source, word)
            out["configuration"] = configuration(self.reading, given[word], (*source, word))
        return out

    def _channel(self, word: str, value: object, out: Tree, paths: tuple[Path, Path]) -> None:
        target, source = paths
        out["provider"] = CHANNELS[word]
        said = configuration(self.reading, value, (*source, word))
        out["configuration"] = {configuration_key(key): text for key, text in said.items()}
        self.reading.origin[(*target, "provider")] = (*source, word)
        self.reading.origin[(*target, "configuration")] = (*source, word)
        for key in said:
            where = (*target, "configuration", configuration_key(key))
            self.reading.origin[where] = (*source, word, key)
