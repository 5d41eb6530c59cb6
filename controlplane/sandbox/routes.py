"""The sandbox's own questions and orders under /_sandbox/: what is true, beside what AWS says."""

import hashlib
from typing import Any

from controlplane.sandbox.aws.control import ControlError, Order, route
from controlplane.sandbox.codedeploy.agent import DISK_FULL
from controlplane.sandbox.fleet import Fleet
from controlplane.sandbox.sample import RELEASES, build_bundle
from controlplane.sandbox.seed import Clients
from controlplane.sandbox.world import SOURCE_BUCKET, SOURCE_KEY, World


def add_routes(world: World, fleet: Fleet, tools: Clients) -> None:
    """Serve the routes of this world.

    GET /_sandbox/world: World.document(). GET /_sandbox/serving: what every instance really
    answers, {environment: [Instance.serving()]}. GET /_sandbox/traffic: see `traffic`.
    POST /_sandbox/release {"release": 1|2|3}: uploads that bundle to the source bucket; answers
    {"release", "versionId", "digest"}. POST /_sandbox/disks {"environment", "full"}: leaves its instances
    no room for another bundle, or gives it back.
    """
    route("/_sandbox/world", lambda _order: world.document())
    route("/_sandbox/serving", lambda _order: fleet.serving())
    route("/_sandbox/traffic", lambda _order: traffic(fleet))
    route("/_sandbox/release", lambda order: release(order, tools))
    route("/_sandbox/disks", lambda order: disks(order, fleet))


def traffic(fleet: Fleet) -> dict[str, Any]:
    """Tell what the users got so far.

    {"first_bad_response_at": ISO time or None, of all environments and releases,
    "environments": Book.totals()}.
    """
    totals = fleet.book.totals()
    times = [
        str(one["first_bad_response_at"])
        for releases in totals.values()
        for one in releases.values()
        if one["first_bad_response_at"]
    ]
    return {"first_bad_response_at": min(times, default=None), "environments": totals}


def disks(order: Order, fleet: Fleet) -> dict[str, Any]:
    """Fill the disks of an environment's instances, or clear them."""
    name, full = order.body.get("environment"), order.body.get("full")
    if name not in fleet.instances or not isinstance(full, bool):
        known = ", ".join(fleet.instances)
        raise ControlError(f"POST {{'environment': one of {known}, 'full': true or false}}.")
    for instance in fleet.instances[name]:
        mark = instance.root / DISK_FULL
        mark.touch() if full else mark.unlink(missing_ok=True)
    return {"environment": name, "full": full}


def release(order: Order, tools: Clients) -> dict[str, Any]:
    """Upload a release of the sample service, as its team's build would."""
    number = order.body.get("release")
    if order.method != "POST" or number not in RELEASES or isinstance(number, bool):
        raise ControlError(f"POST {{'release': n}} with n one of {list(RELEASES)}.")
    content = build_bundle(number)
    stored = tools("s3").put_object(Bucket=SOURCE_BUCKET, Key=SOURCE_KEY, Body=content)
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    return {"release": number, "versionId": stored["VersionId"], "digest": digest}
