"""A commit to clone, instead of its files: what a Git source writes, and a build reads (CODEBUILD_CLONE_REF).

CodePipeline has CodeBuild clone by the connection, with all of the history; so does this. The document is an
artifact as any other, pinned to its version and its digest.
https://docs.aws.amazon.com/codepipeline/latest/userguide/tutorials-github-gitclone.html
"""

import hashlib
import json
import re
from contextlib import closing
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from controlplane.actions.base import ActionError, Artifact
from controlplane.actions.s3_content import place_of

FORMAT = "CODEBUILD_CLONE_REF"
LARGEST = 16 * 1024
CONNECTION = re.compile(
    r"arn:aws[a-z-]*:(?:codestar-connections|codeconnections):[a-z0-9-]+:[0-9]{12}:connection/[A-Za-z0-9-]+"
)
COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
CLOUD = {"github": "api.github.com", "gitlab": "gitlab.com"}
"""The hosts of the vendors' own APIs."""
TYPES = {
    ("github", True): "GITHUB",
    ("github", False): "GITHUB_ENTERPRISE",
    ("gitlab", True): "GITLAB",
    ("gitlab", False): "GITLAB_SELF_MANAGED",
    ("bitbucket", True): "BITBUCKET",
}
"""What CodeBuild calls a source, by the host's kind and whether it is the vendor's own cloud."""


@dataclass(frozen=True, slots=True)
class Clone:
    """What is cloned: CodeBuild's type of source, the address, the commit; by which connection ("": none)."""

    type: str
    url: str
    commit: str
    connection: str = ""

    @property
    def auth(self) -> dict[str, str] | None:
        """How CodeBuild proves who it is; None where the project has credentials of its own."""
        if not self.connection:
            return None
        return {"type": "CODECONNECTIONS", "resource": self.connection}


def where(kind: str, api: str, site: str) -> tuple[str, str]:
    """Answer what CodeBuild calls a host, and the address that its repositories lie under.

    kind, api, site: of the host's settings (TOWPATH_GIT).
    """
    if kind == "bitbucket":
        return TYPES[kind, True], site.rstrip("/")
    parts = urlsplit(api)
    if parts.hostname == CLOUD[kind]:
        return TYPES[kind, True], f"https://{kind}.com"
    return TYPES[kind, False], f"{parts.scheme}://{parts.netloc}"


def written(known: dict[str, str]) -> bytes:
    """Write the document: the same words for the same commit."""
    return json.dumps(known, sort_keys=True, separators=(",", ":")).encode()


def read(s3: Any, artifact: Artifact) -> Clone:
    """Read the document of an artifact; ActionError (permanent) for what is none."""
    place = place_of(artifact.location, artifact.version)
    answer = s3.get_object(**place.request, Range=f"bytes=0-{LARGEST}")
    with closing(answer["Body"]) as body:
        content: bytes = body.read(LARGEST + 1)
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    if len(content) > LARGEST or digest != artifact.digest:
        said = f"is {digest}, and was made as {artifact.digest}: somebody else wrote there"
        raise ActionError(f"{place.location} {said}, and nothing is built from it.", permanent=True)
    try:
        return _clone(json.loads(content))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        said = f"{artifact.name} ({place.location}) names no commit that CodeBuild could clone"
        mend = "run the source again, by a new execution"
        raise ActionError(f"{said} ({error}): {mend}.", permanent=True) from None


def _clone(said: dict[str, str]) -> Clone:
    commit, url, type_ = said["CommitId"], said["CloneUrl"], said["SourceType"]
    if not COMMIT.fullmatch(commit) or not url.startswith("https://"):
        raise ValueError("the commit or the address is none")
    if type_ not in TYPES.values():
        raise ValueError("an unknown type of source")
    connection = said.get("ConnectionArn", "")
    return Clone(type_, url, commit, connection if CONNECTION.fullmatch(connection) else "")
