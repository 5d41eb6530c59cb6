"""CodeBuild's operations; moto routes, parses and serialises them by botocore's model."""

import json
from typing import Any

from moto.codebuild.responses import CodeBuildResponse
from moto.core.responses import ActionResult

from controlplane.sandbox.aws.faults import Fault
from controlplane.sandbox.codebuild.backend import Backend

PAGE = 100


class Response(CodeBuildResponse):  # type: ignore[misc]  # moto ships no types that mypy follows
    """One method for each emulated operation; projects are moto's."""

    @property
    def _backend(self) -> Backend:
        backend: Backend = self.codebuild_backend
        return backend

    def start_build(self) -> ActionResult:
        run = self._backend.begin(json.loads(self.body))
        return ActionResult({"build": self._backend.shown(run)})

    def batch_get_builds(self) -> ActionResult:
        ids = list(self._get_param("ids") or [])
        builds = self._backend.found(ids)
        known = {build["id"] for build in builds}
        return ActionResult(
            {"builds": builds, "buildsNotFound": [one for one in ids if one not in known]}
        )

    def stop_build(self) -> ActionResult:
        return ActionResult(
            {"build": self._backend.shown(self._backend.halt(self._get_param("id")))}
        )

    def list_builds(self) -> ActionResult:
        return ActionResult({"ids": list(reversed(self._backend.runs))})

    def list_builds_for_project(self) -> ActionResult:
        more = self._get_param("nextToken")
        if more and self._get_param("sortOrder"):
            said = "Sort order can't be specified when passing a nextToken"
            raise Fault("InvalidInputException", said)
        first = int(more or 0)
        ids = self._backend.of_project(self._get_param("projectName"))
        answer: dict[str, Any] = {"ids": ids[first : first + PAGE]}
        if first + PAGE < len(ids):
            answer["nextToken"] = str(first + PAGE)
        return ActionResult(answer)

    def batch_get_projects(self) -> ActionResult:
        names = list(self._get_param("names") or [])
        projects = self._backend.batch_get_projects(names)
        known = {one["name"] for one in projects} | {one["arn"] for one in projects}
        missing = [name for name in names if name not in known]
        return ActionResult({"projects": projects, "projectsNotFound": missing})
