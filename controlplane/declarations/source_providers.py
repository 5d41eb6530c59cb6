"""The providers that name revisions and resolve them: one literal table."""

from controlplane.declarations.keys import Key, Kind
from controlplane.declarations.provider import Provider

SOURCES: tuple[Provider, ...] = (
    Provider(
        "Source",
        "AWS",
        "S3",
        {
            "S3Bucket": Key("bucket, versioned", required=True),
            "S3ObjectKey": Key("key of the bundle", required=True),
            "PollForSourceChanges": Key("look instead of waiting for events", Kind.BOOLEAN),
        },
        outputs=(1, 1),
    ),
    Provider(
        "Source",
        "AWS",
        "CodeStarSourceConnection",
        {
            "ConnectionArn": Key("connection: a Git host of TOWPATH_GIT", required=True),
            "FullRepositoryName": Key("repository, such as team/shop", required=True),
            "BranchName": Key("branch to follow", required=True),
            "OutputArtifactFormat": Key(
                "the files, or what to clone them by (CODE_ZIP)",
                Kind.ENUM,
                choices=("CODE_ZIP", "CODEBUILD_CLONE_REF"),
            ),
            "DetectChanges": Key("start where the branch moves (true)", Kind.BOOLEAN),
        },
        outputs=(1, 1),
    ),
    Provider(
        "Source",
        "AWS",
        "CodeCommit",
        {
            "RepositoryName": Key("repository", required=True),
            "BranchName": Key("branch to follow", required=True),
            "PollForSourceChanges": Key("look instead of waiting for events", Kind.BOOLEAN),
            "OutputArtifactFormat": Key(
                "the files (CODE_ZIP)",
                Kind.ENUM,
                choices=("CODE_ZIP",),
                why="CodeCommit's commits are handed on as their files",
            ),
        },
        outputs=(1, 1),
    ),
    Provider(
        "Source",
        "AWS",
        "ECR",
        {
            "RepositoryName": Key("repository", required=True),
            "ImageTag": Key("tag to follow (latest where left out)"),
        },
        outputs=(1, 1),
    ),
)
