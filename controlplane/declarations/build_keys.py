"""What a build may be told: the keys of CodeBuild and Commands, as actions and as rules."""

from controlplane.declarations.keys import Key, Kind

BUCKET = Key("versioned bucket for what it makes (the account's own artifact bucket)")
PROJECT = {
    "ProjectName": Key("CodeBuild project", required=True),
    "PrimarySource": Key("input artifact that the buildspec lies in, where there are several"),
    "EnvironmentVariables": Key(
        "list of name, value, type (PLAINTEXT, PARAMETER_STORE, SECRETS_MANAGER)", Kind.JSON_LIST
    ),
    "ArtifactBucket": BUCKET,
    "BuildspecOverride": Key("buildspec, or its path, instead of the project's", literal=True),
    "BatchEnabled": Key("build the project's batch", Kind.BOOLEAN, literal=True),
    "CombineArtifacts": Key("put the artifacts of a batch into one", Kind.BOOLEAN, literal=True),
}
COMMANDS = {
    "ProjectName": Key("CodeBuild project that they run in (TOWPATH_COMMANDS_PROJECT)"),
    "PrimarySource": Key("input artifact to begin in (the first one)"),
    "ArtifactBucket": BUCKET,
}
"""All ours: CodePipeline makes itself a project, and knows PrimarySource with CodeBuild only. ArtifactBucket is
ours there as well: CodePipeline has its artifact store."""
