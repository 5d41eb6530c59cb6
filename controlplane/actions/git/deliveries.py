"""What a webhook tells: each host's body becomes the same few words. Pure.

https://docs.github.com/en/webhooks/webhook-events-and-payloads
https://docs.gitlab.com/user/project/integrations/webhook_events/
https://support.atlassian.com/bitbucket-cloud/docs/event-payloads/
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from controlplane.actions.git.base import Told

HEADS, TAGS = "refs/heads/", "refs/tags/"
GITHUB_COMMITS = 2048
"""A push tells of so many at the most."""
GITHUB_PULLS = {"opened": "OPEN", "reopened": "OPEN", "synchronize": "UPDATED", "closed": "CLOSED"}
GITLAB_PULLS = {"open": "OPEN", "reopen": "OPEN", "update": "UPDATED"} | dict.fromkeys(
    ("merge", "close"), "CLOSED"
)
BITBUCKET_PULLS = {
    "pullrequest:created": "OPEN",
    "pullrequest:updated": "UPDATED",
    "pullrequest:fulfilled": "CLOSED",
    "pullrequest:rejected": "CLOSED",
}
Headers = Mapping[str, str]


class BodyError(ValueError):
    """The body is not what the host sends."""


def read(kind: str, headers: Headers, body: Any) -> tuple[Told, ...]:
    """Answer the changes that may start something; () for every other event. BodyError.

    headers: by lower-case name. A ref that was deleted is no change.
    """
    try:
        return tuple(READERS[kind](headers, body))
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise BodyError(f"the body is not one of {kind}'s: {error!r}") from None


def _github(headers: Headers, body: Any) -> Iterable[Told]:
    event = headers.get("x-github-event", "")
    if event == "push" and not body["deleted"]:
        whole = len(body["commits"]) < GITHUB_COMMITS
        yield Told(
            repository=body["repository"]["full_name"],
            ref=body["ref"],
            commit=body["after"],
            before=_known(body["before"]),
            default_branch=body["repository"]["default_branch"],
            files=_files(body["commits"], bool(_known(body["before"])) and whole),
        )
    if event == "pull_request" and body["action"] in GITHUB_PULLS:
        pull = body["pull_request"]
        head, base = pull["head"], pull["base"]
        yield Told(
            repository=base["repo"]["full_name"],
            ref=f"{HEADS}{base['ref']}",
            commit=head["sha"],
            before=body.get("before") or "",
            default_branch=base["repo"]["default_branch"],
            event=GITHUB_PULLS[body["action"]],
            number=str(pull["number"]),
            source=head["ref"],
            # The head's repository is null where it was deleted since.
            foreign=(head["repo"] or {}).get("full_name") != base["repo"]["full_name"],
        )


def _gitlab(_headers: Headers, body: Any) -> Iterable[Told]:
    kind = body["object_kind"]
    if kind in {"push", "tag_push"} and _known(body["after"]):
        whole = body["total_commits_count"] == len(body["commits"])
        yield Told(
            repository=body["project"]["path_with_namespace"],
            ref=body["ref"],
            commit=body["checkout_sha"] or body["after"],
            before=_known(body["before"]),
            default_branch=body["project"]["default_branch"],
            files=_files(body["commits"], whole and bool(_known(body["before"]))),
        )
    if kind == "merge_request":
        pull = body["object_attributes"]
        action = pull.get("action", "")
        pushed = action != "update" or "oldrev" in pull
        if action in GITLAB_PULLS and pushed:
            yield Told(
                repository=body["project"]["path_with_namespace"],
                ref=f"{HEADS}{pull['target_branch']}",
                commit=pull["last_commit"]["id"],
                before=pull.get("oldrev") or "",
                default_branch=body["project"]["default_branch"],
                event=GITLAB_PULLS[action],
                number=str(pull["iid"]),
                source=pull["source_branch"],
                foreign=pull["source_project_id"] != pull["target_project_id"],
            )


def _bitbucket(headers: Headers, body: Any) -> Iterable[Told]:
    event = headers.get("x-event-key", "")
    name = body["repository"]["full_name"]
    if event == "repo:push":
        for one in body["push"]["changes"]:
            new, old = one.get("new"), one.get("old")
            if new is not None:
                tag = new["type"] == "tag"
                yield Told(
                    repository=name,
                    ref=f"{TAGS if tag else HEADS}{new['name']}",
                    commit=new["target"]["hash"],
                    before=old["target"]["hash"] if old else "",
                    default_branch=(body["repository"].get("mainbranch") or {}).get("name", ""),
                )
    if event in BITBUCKET_PULLS:
        pull = body["pullrequest"]
        source = pull["source"]
        yield Told(
            repository=name,
            ref=f"{HEADS}{pull['destination']['branch']['name']}",
            commit=source["commit"]["hash"],
            event=BITBUCKET_PULLS[event],
            number=str(pull["id"]),
            source=source["branch"]["name"],
            foreign=(source.get("repository") or {}).get("full_name") != name,
        )


READERS: Mapping[str, Callable[[Headers, Any], Iterable[Told]]] = {
    "github": _github,
    "gitlab": _gitlab,
    "bitbucket": _bitbucket,
}


def _known(sha: str) -> str:
    """Zeros stand for no commit."""
    return sha if sha.strip("0") else ""


def _files(commits: Any, whole: bool) -> tuple[str, ...] | None:  # noqa: FBT001 - of one caller each
    """Every name that a push's commits changed; None where they are not all told."""
    if not whole:
        return None
    words = ("added", "modified", "removed")
    names = (name for one in commits for word in words for name in one[word])
    return tuple(dict.fromkeys(names))
