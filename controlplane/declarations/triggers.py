"""CodePipeline's `triggers`, and whether a push or a pull request starts a pipeline. Pure.

https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-triggers.html
https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_GitConfiguration.html
Filters of one trigger are alternatives; the parts of one filter hold together; what is excluded is
excluded, whatever is included.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, StringConstraints

from controlplane.declarations import globs
from controlplane.declarations.model import Model

PROVIDER = "CodeStarSourceConnection"
KEY = ("Source", "AWS", PROVIDER)
"""The source that triggers are for: category, owner, provider."""
HEADS, TAGS = "refs/heads/", "refs/tags/"


def _glob(pattern: str) -> str:
    globs.parse(pattern)
    return pattern


Pattern = Annotated[str, StringConstraints(min_length=1, max_length=255), AfterValidator(_glob)]
Patterns = Annotated[tuple[Pattern, ...], Field(max_length=8)]


class Criteria(Model):
    """Names: of branches, tags or files."""

    includes: Patterns = ()
    excludes: Patterns = ()

    def take(self, name: str) -> bool:
        """True where a name is included and not excluded; nothing included is everything."""
        if any(globs.matches(pattern, name) for pattern in self.excludes):
            return False
        return not self.includes or any(globs.matches(one, name) for one in self.includes)


class PushFilter(Model):
    """Tags, or branches with files."""

    tags: Criteria | None = None
    branches: Criteria | None = None
    file_paths: Criteria | None = None


class PullRequestEvent(StrEnum):
    """What happened to a pull request. CLOSED: it was merged or given up."""

    OPEN = "OPEN"
    UPDATED = "UPDATED"
    CLOSED = "CLOSED"


class PullRequestFilter(Model):
    """events: none said is all. branches: those that are merged into."""

    events: tuple[PullRequestEvent, ...] = ()
    branches: Criteria | None = None
    file_paths: Criteria | None = None


class GitConfiguration(Model):
    """Both empty: every push to the action's own branch."""

    source_action_name: str
    push: Annotated[tuple[PushFilter, ...], Field(max_length=3)] = ()
    pull_request: Annotated[tuple[PullRequestFilter, ...], Field(max_length=3)] = ()


class Trigger(Model):
    """One trigger, of one source action."""

    provider_type: Literal["CodeStarSourceConnection"] = "CodeStarSourceConnection"
    git_configuration: GitConfiguration


@dataclass(frozen=True, slots=True)
class Change:
    """What a Git host tells of: a push to a branch or a tag, or an event of a pull request.

    ref: "refs/heads/main", "refs/tags/v1"; of a pull request the branch that it is merged into.
    event: "" for a push. files: what was changed; None where that is not known, and not asked for yet.
    """

    ref: str
    event: PullRequestEvent | None = None
    files: tuple[str, ...] | None = None

    @property
    def branch(self) -> str:
        """The branch's name, "" for a tag."""
        return self.ref.removeprefix(HEADS) if self.ref.startswith(HEADS) else ""

    @property
    def tag(self) -> str:
        """The tag's name, "" for a branch."""
        return self.ref.removeprefix(TAGS) if self.ref.startswith(TAGS) else ""


class Answer(StrEnum):
    """ASK: it hangs on the files, and they are not known."""

    YES = "yes"
    NO = "no"
    ASK = "ask"


def of(triggers: Sequence[Mapping[str, Any]], action: str) -> GitConfiguration | None:
    """The configuration of a source action; None where it has no trigger. ValueError where it is bad."""
    for given in triggers:
        found = Trigger.model_validate(given).git_configuration
        if found.source_action_name == action:
            return found
    return None


def starts(
    configured: GitConfiguration | None, change: Change, own_branch: str, *, detects: bool = True
) -> Answer:
    """Say whether a change starts the pipeline.

    own_branch: the action's BranchName. It counts where there are no filters, and no trigger at all;
    detects: its DetectChanges, which counts where there is no trigger.
    """
    if configured is None or not (configured.push or configured.pull_request):
        on = configured is not None or detects
        own = on and change.event is None and bool(change.branch) and change.branch == own_branch
        return Answer.YES if own else Answer.NO
    if change.event is not None:
        answers = [_pull_request(one, change) for one in configured.pull_request]
    else:
        answers = [_push(one, change) for one in configured.push]
    return next((one for one in (Answer.YES, Answer.ASK) if one in answers), Answer.NO)


def _push(wanted: PushFilter, change: Change) -> Answer:
    """A filter of tags is for tags alone; one without any is for branches."""
    if change.tag:
        return Answer.YES if wanted.tags is not None and wanted.tags.take(change.tag) else Answer.NO
    if wanted.tags is not None and wanted.branches is None and wanted.file_paths is None:
        return Answer.NO
    if not change.branch or (
        wanted.branches is not None and not wanted.branches.take(change.branch)
    ):
        return Answer.NO
    return _files(wanted.file_paths, change)


def _pull_request(wanted: PullRequestFilter, change: Change) -> Answer:
    if wanted.events and change.event not in wanted.events:
        return Answer.NO
    if wanted.branches is not None and not wanted.branches.take(change.branch):
        return Answer.NO
    return _files(wanted.file_paths, change)


def _files(wanted: Criteria | None, change: Change) -> Answer:
    """One changed file that is wanted is enough."""
    if wanted is None:
        return Answer.YES
    if change.files is None:
        return Answer.ASK
    return Answer.YES if any(wanted.take(name) for name in change.files) else Answer.NO
