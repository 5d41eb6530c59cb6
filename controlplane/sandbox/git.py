"""A Git host in memory that answers as GitHub, GitLab and Bitbucket do, behind httpx's own transport.

Its archives differ in their bytes at every asking, as real ones may.
"""

import hashlib
import io
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

import httpx

TOKEN = "a-token-of-the-sandbox"  # noqa: S105 - made up
HOST = "git.sandbox"
API = f"https://{HOST}"
ARCHIVES = "https://archives.sandbox"
"""Where GitHub sends whoever asks for an archive; the token must not follow."""


@dataclass(frozen=True, slots=True)
class Made:
    """One commit. files: all that are in it."""

    id: str
    parent: str
    message: str
    files: Mapping[str, bytes]


@dataclass
class FakeGit:
    """One repository. down: it answers 503. asked: the paths of all requests, with their headers."""

    repository: str = "team/shop"
    commits: dict[str, Made] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    down: bool = False
    asked: list[httpx.Request] = field(default_factory=list)

    def push(self, branch: str, files: Mapping[str, bytes], parent: str | None = None) -> str:
        """Commit on top of a branch, or of another commit; answers the commit."""
        before = self.branches.get(branch, "") if parent is None else parent
        kept = {**(self.commits[before].files if before else {}), **files}
        message = f"Change {', '.join(files)}\n\nnumber {len(self.commits)}"
        id_ = hashlib.sha1(f"{before} {message}".encode(), usedforsecurity=False).hexdigest()
        self.commits[id_] = Made(id_, before, message, kept)
        self.branches[branch] = id_
        return id_

    def client(self) -> httpx.Client:
        """A client that reaches nothing else."""
        return httpx.Client(transport=httpx.MockTransport(self.answer))

    def answer(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        self.asked.append(request)
        if self.down:
            return httpx.Response(503)
        if request.url.host == "archives.sandbox":
            carried = {"authorization", "private-token"} & set(request.headers)
            return httpx.Response(400) if carried else self._zip(request.url.path.strip("/"))
        tokens = (request.headers.get("authorization"), request.headers.get("private-token"))
        if f"Bearer {TOKEN}" not in tokens and TOKEN not in tokens:
            return httpx.Response(401)
        path = unquote(request.url.raw_path.decode().partition("?")[0])
        for pattern, reply in ROUTES:
            found = re.fullmatch(pattern.format(repository=re.escape(self.repository)), path)
            if found is not None:
                try:
                    return getattr(self, reply)(request, *found.groups())  # type: ignore[no-any-return]
                except KeyError:
                    return httpx.Response(404)
        return httpx.Response(404)

    # --- GitHub ------------------------------------------------------------------------------------

    def _github(self, id_: str) -> Any:
        made = self.commits[id_]
        author = {"name": "Anne", "email": "anne@example.com", "date": "2026-01-05T09:00:00Z"}
        url = f"{API}/{self.repository}/commit/{id_}"
        return {"sha": id_, "html_url": url, "commit": {"message": made.message, "author": author}}

    def github_branch(self, _: httpx.Request, branch: str) -> httpx.Response:
        """GET /repos/{repository}/branches/{branch}."""
        found = {"name": branch, "commit": self._github(self.branches[branch])}
        return httpx.Response(200, json=found)

    def github_commit(self, _: httpx.Request, id_: str) -> httpx.Response:
        """GET /repos/{repository}/commits/{sha}."""
        return httpx.Response(200, json=self._github(id_))

    def github_compare(self, _: httpx.Request, base: str, head: str) -> httpx.Response:
        """GET /repos/{repository}/compare/{base}...{head}."""
        base = self.branches.get(base, base)
        older, newer = list(self.history(head)), list(self.history(base))
        if head == base:
            status = "identical"
        elif head in newer:
            status = "behind"
        else:
            status = "ahead" if base in older else "diverged"
        files = [{"filename": name} for name in self.changed(base, head)]
        return httpx.Response(200, json={"status": status, "files": files})

    def github_archive(self, _: httpx.Request, id_: str) -> httpx.Response:
        """GET /repos/{repository}/zipball/{sha}."""
        return httpx.Response(302, headers={"Location": f"{ARCHIVES}/{self.commits[id_].id}"})

    # --- GitLab ------------------------------------------------------------------------------------

    def _gitlab(self, id_: str) -> Any:
        return {
            "id": id_, "message": self.commits[id_].message, "author_name": "Anne",
            "author_email": "anne@example.com", "authored_date": "2026-01-05T09:00:00Z",
            "web_url": f"{API}/{self.repository}/-/commit/{id_}",
        }  # fmt: skip

    def gitlab_branch(self, _: httpx.Request, branch: str) -> httpx.Response:
        """GET .../repository/branches/{branch}."""
        return httpx.Response(200, json={"commit": self._gitlab(self.branches[branch])})

    def gitlab_commit(self, _: httpx.Request, id_: str) -> httpx.Response:
        """GET .../repository/commits/{sha}."""
        return httpx.Response(200, json=self._gitlab(id_))

    def gitlab_compare(self, request: httpx.Request) -> httpx.Response:
        """GET .../repository/compare?from=&to=."""
        base, head = request.url.params["from"], request.url.params["to"]
        names = self.changed(self.branches.get(base, base), head)
        return httpx.Response(200, json={"diffs": [{"old_path": n, "new_path": n} for n in names]})

    def gitlab_merge_base(self, request: httpx.Request) -> httpx.Response:
        """GET .../repository/merge_base?refs[]=&refs[]=."""
        return httpx.Response(200, json={"id": self.met(*request.url.params.get_list("refs[]"))})

    def archive(self, request: httpx.Request, *id_: str) -> httpx.Response:
        """GET .../repository/archive.zip?sha=, or /{repository}/get/{sha}.zip."""
        return self._zip(id_[0] if id_ else request.url.params["sha"])

    # --- Bitbucket ---------------------------------------------------------------------------------

    def _bitbucket(self, id_: str) -> Any:
        found = next(one for one in self.commits if one.startswith(id_))
        return {
            "hash": found, "message": self.commits[found].message, "date": "2026-01-05T09:00:00Z",
            "author": {"raw": "Anne <anne@example.com>"},
            "links": {"html": {"href": f"{API}/{self.repository}/commits/{found}"}},
        }  # fmt: skip

    def bitbucket_branch(self, _: httpx.Request, branch: str) -> httpx.Response:
        """GET /repositories/{repository}/refs/branches/{branch}."""
        return httpx.Response(200, json={"target": self._bitbucket(self.branches[branch])})

    def bitbucket_commit(self, _: httpx.Request, id_: str) -> httpx.Response:
        """GET /repositories/{repository}/commit/{sha}."""
        return httpx.Response(200, json=self._bitbucket(id_))

    def bitbucket_files(self, _: httpx.Request, head: str, base: str) -> httpx.Response:
        """GET /repositories/{repository}/diffstat/{head}..{base}."""
        names = self.changed(self.branches.get(base, base), head)
        return httpx.Response(
            200, json={"values": [{"old": None, "new": {"path": n}} for n in names]}
        )

    def bitbucket_met(self, _: httpx.Request, one: str, other: str) -> httpx.Response:
        """GET /repositories/{repository}/merge-base/{one}..{other}."""
        return httpx.Response(200, json={"hash": self.met(one, other)})

    # --- inside ------------------------------------------------------------------------------------

    def history(self, id_: str) -> Iterator[str]:
        """A commit and all before it; KeyError where there is none."""
        while id_:
            yield id_
            id_ = self.commits[id_].parent

    def met(self, one: str, other: str) -> str:
        """Where both parted; KeyError where they have nothing in common."""
        known = set(self.history(other))
        for id_ in self.history(one):
            if id_ in known:
                return id_
        raise KeyError(one)

    def changed(self, base: str, head: str) -> list[str]:
        """What differs from where both parted."""
        try:
            old = self.commits[self.met(head, base)].files
        except KeyError:
            old = {}
        new = self.commits[head].files
        return sorted(name for name in {*old, *new} if old.get(name) != new.get(name))

    def _zip(self, id_: str) -> httpx.Response:
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w") as made:
            folder = f"{self.repository.replace('/', '-')}-{id_[:7]}"
            files = list(self.commits[id_].files.items())
            for name, text in files if len(self.asked) % 2 else files[::-1]:
                entry = zipfile.ZipInfo(
                    f"{folder}/{name}", (2026, 1, 1, 0, 0, len(self.asked) % 60)
                )
                made.writestr(entry, text)
        return httpx.Response(200, content=content.getvalue())


ROUTES = (
    (r"/repos/{repository}/branches/(.+)", "github_branch"),
    (r"/repos/{repository}/commits/(\w+)", "github_commit"),
    (r"/repos/{repository}/compare/(.+)\.\.\.(\w+)", "github_compare"),
    (r"/repos/{repository}/zipball/(\w+)", "github_archive"),
    (r"/projects/{repository}/repository/branches/(.+)", "gitlab_branch"),
    (r"/projects/{repository}/repository/commits/(\w+)", "gitlab_commit"),
    (r"/projects/{repository}/repository/compare", "gitlab_compare"),
    (r"/projects/{repository}/repository/merge_base", "gitlab_merge_base"),
    (r"/projects/{repository}/repository/archive\.zip", "archive"),
    (r"/repositories/{repository}/refs/branches/(.+)", "bitbucket_branch"),
    (r"/repositories/{repository}/commit/(\w+)", "bitbucket_commit"),
    (r"/repositories/{repository}/diffstat/(\w+)\.\.(.+)", "bitbucket_files"),
    (r"/repositories/{repository}/merge-base/(\w+)\.\.(\w+)", "bitbucket_met"),
    (r"/{repository}/get/(\w+)\.zip", "archive"),
)
