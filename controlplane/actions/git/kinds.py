"""GitHub, GitLab and Bitbucket Cloud, each asked in its own words.

https://docs.github.com/en/rest · https://docs.gitlab.com/api/ · https://developer.atlassian.com/cloud/bitbucket/rest/
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any
from urllib.parse import quote

import httpx

from controlplane.actions.git.asking import Asking, NotThereError, repository, sha
from controlplane.actions.git.base import Commit, Host
from controlplane.settings import GitHost

GITHUB_FILES = 300
"""https://docs.github.com/en/rest/commits/commits#compare-two-commits: so many files at the most."""
BITBUCKET_FILES = 500


class GitHub(Asking):
    """github.com, and GitHub Enterprise Server."""

    def head(self, name: str, branch: str) -> Commit | None:
        """Read the branch."""
        try:
            found = self.json(f"/repos/{repository(name)}/branches/{quote(branch, safe='')}")
        except NotThereError:
            return None
        return _github(found["commit"])

    def commit(self, name: str, id_: str) -> Commit:
        """Read a commit."""
        return _github(self.json(f"/repos/{repository(name)}/commits/{sha(id_)}"))

    def files(self, name: str, base: str, id_: str) -> tuple[str, ...] | None:
        """Compare; a rename tells both names."""
        found = self._compare(name, base, sha(id_)).get("files", [])
        if len(found) >= GITHUB_FILES:
            return None
        named = [(one["filename"], one.get("previous_filename")) for one in found]
        return tuple(text for pair in named for text in pair if text)

    def is_behind(self, name: str, id_: str, other: str) -> bool:
        """Compare."""
        try:
            return self._compare(name, sha(other), sha(id_))["status"] in {"behind", "identical"}
        except NotThereError:
            return False  # what was pushed away by force is gone in the end

    def archive(self, name: str, id_: str) -> AbstractContextManager[Iterator[bytes]]:
        """Read the zipball."""
        return self.stream(f"{self.settings.address}/repos/{repository(name)}/zipball/{sha(id_)}")

    def _compare(self, name: str, base: str, id_: str) -> Any:
        return self.json(f"/repos/{repository(name)}/compare/{quote(base, safe='')}...{id_}")


def _github(found: Any) -> Commit:
    said = found["commit"]
    author = said.get("author") or {}
    return Commit(
        found["sha"], said.get("message", ""), author.get("name", ""), author.get("email", ""),
        author.get("date", ""), found.get("html_url", ""),
    )  # fmt: skip


class GitLab(Asking):
    """gitlab.com, and a GitLab of one's own."""

    def head(self, name: str, branch: str) -> Commit | None:
        """Read the branch."""
        try:
            found = self.json(f"{_project(name)}/branches/{quote(branch, safe='')}")
        except NotThereError:
            return None
        return _gitlab(found["commit"])

    def commit(self, name: str, id_: str) -> Commit:
        """Read a commit."""
        return _gitlab(self.json(f"{_project(name)}/commits/{sha(id_)}"))

    def files(self, name: str, base: str, id_: str) -> tuple[str, ...] | None:
        """Compare; where it gave up it says so."""
        found = self.json(f"{_project(name)}/compare", **{"from": base, "to": sha(id_)})
        if found.get("compare_timeout") or any(one.get("too_large") for one in found["diffs"]):
            return None
        return tuple(text for one in found["diffs"] for text in {one["old_path"], one["new_path"]})

    def is_behind(self, name: str, id_: str, other: str) -> bool:
        """Where both meet, it is the older."""
        path = f"{_project(name)}/merge_base?refs%5B%5D={sha(id_)}&refs%5B%5D={sha(other)}"
        try:
            return str(self.json(path)["id"]) == sha(id_)
        except NotThereError:
            return False  # they have nothing in common

    def archive(self, name: str, id_: str) -> AbstractContextManager[Iterator[bytes]]:
        """Read the archive."""
        return self.stream(f"{self.settings.address}{_project(name)}/archive.zip?sha={sha(id_)}")


def _project(name: str) -> str:
    return f"/projects/{quote(repository(name), safe='')}/repository"


def _gitlab(found: Any) -> Commit:
    return Commit(
        found["id"], found.get("message", ""), found.get("author_name", ""),
        found.get("author_email", ""), found.get("authored_date", ""), found.get("web_url", ""),
    )  # fmt: skip


class Bitbucket(Asking):
    """bitbucket.org. Archives are the site's, and not the API's."""

    def head(self, name: str, branch: str) -> Commit | None:
        """Read the branch."""
        try:
            found = self.json(f"/repositories/{repository(name)}/refs/branches/{quote(branch)}")
        except NotThereError:
            return None
        return _bitbucket(found["target"])

    def commit(self, name: str, id_: str) -> Commit:
        """Read a commit."""
        return _bitbucket(self.json(f"/repositories/{repository(name)}/commit/{sha(id_)}"))

    def files(self, name: str, base: str, id_: str) -> tuple[str, ...] | None:
        """Read the diffstat, of one page."""
        spec = f"{sha(id_)}..{quote(base, safe='')}"
        path = f"/repositories/{repository(name)}/diffstat/{spec}"
        found = self.json(path, pagelen=str(BITBUCKET_FILES), topic="true")
        if found.get("next"):
            return None
        sides = [one.get(side) for one in found["values"] for side in ("old", "new")]
        return tuple(dict.fromkeys(side["path"] for side in sides if side))

    def is_behind(self, name: str, id_: str, other: str) -> bool:
        """Where both meet, it is the older."""
        path = f"/repositories/{repository(name)}/merge-base/{sha(id_)}..{sha(other)}"
        try:
            return str(self.json(path)["hash"]).startswith(sha(id_))
        except NotThereError:
            return False

    def archive(self, name: str, id_: str) -> AbstractContextManager[Iterator[bytes]]:
        """Read the archive."""
        return self.stream(f"{self.settings.site}/{repository(name)}/get/{sha(id_)}.zip")


def _bitbucket(found: Any) -> Commit:
    author = found.get("author") or {}
    name, _, rest = author.get("raw", "").partition(" <")
    return Commit(
        found["hash"], found.get("message", ""), (author.get("user") or {}).get("display_name", name),
        rest.removesuffix(">"), found.get("date", ""),
        found.get("links", {}).get("html", {}).get("href", ""),
    )  # fmt: skip


KINDS: Mapping[str, Callable[[httpx.Client, str, GitHost, Mapping[str, str]], Host]] = {
    "github": GitHub,
    "gitlab": GitLab,
    "bitbucket": Bitbucket,
}


def make(
    http: httpx.Client, hosts: Mapping[str, GitHost], environ: Mapping[str, str]
) -> dict[str, Host]:
    """Every host of the settings."""
    return {name: KINDS[one.kind](http, name, one, environ) for name, one in hosts.items()}
