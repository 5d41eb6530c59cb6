"""Whether Inspector has looked at a resource at all, and if not why, in words. Pure.

A resource without a finding is only clean where it was scanned; and what is changed in place (an
instance, a function) was only scanned where that was after the change.
https://docs.aws.amazon.com/inspector/v2/APIReference/API_ScanStatus.html
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

MUTABLE = frozenset({"AWS_EC2_INSTANCE", "AWS_LAMBDA_FUNCTION"})
"""Resources that a deployment changes in place. An image's digest never changes."""

REASONS = {
    "ACCESS_DENIED": "a policy keeps Inspector out",
    "ACCESS_DENIED_TO_ENCRYPTION_KEY": "the key policy keeps Inspector from decrypting it",
    "EC2_INSTANCE_STOPPED": "the instance is stopped",
    "EXCLUDED_BY_TAG": "a tag excludes it from scanning",
    "IMAGE_ARCHIVED": "the image is archived",
    "IMAGE_SIZE_EXCEEDED": "the image is larger than Inspector scans",
    "INTERNAL_ERROR": "Inspector failed inside",
    "NO_INVENTORY": "SSM has no inventory of it yet",
    "NO_RESOURCES_FOUND": "Inspector found nothing to scan there",
    "PENDING_DISABLE": "scanning is being switched off",
    "PENDING_INITIAL_SCAN": "its first scan is still to come",
    "PENDING_REVIVAL_SCAN": "its scan is being taken up again",
    "RESOURCE_TERMINATED": "it is terminated",
    "SCAN_ELIGIBILITY_EXPIRED": "the time that Inspector scans it for is over",
    "SCAN_FREQUENCY_MANUAL": "its repository is scanned only by hand",
    "SCAN_FREQUENCY_SCAN_ON_PUSH": "its repository is scanned only at a push",
    "SCAN_IN_PROGRESS": "its scan is running",
    "STALE_INVENTORY": "SSM's inventory of it is out of date",
    "UNMANAGED_EC2_INSTANCE": "SSM does not manage the instance",
    "UNSUPPORTED_MEDIA_TYPE": "Inspector cannot read this kind of image",
    "UNSUPPORTED_OS": "Inspector does not support its operating system",
    "UNSUPPORTED_RUNTIME": "Inspector does not support its runtime",
}


def gaps(
    rows: Iterable[Mapping[str, Any]],
    wanted: Sequence[str],
    resource_type: str,
    changed: datetime | None,
) -> list[str]:
    """Say of each resource that was not scanned why; empty where all were.

    wanted: resource ids that must be there; empty takes those that the rows name, at least one.
    changed: when the deployment began.
    """
    scans: dict[str, list[Mapping[str, Any]]] = {name: [] for name in wanted}
    for row in rows:
        if row.get("scanType") == "PACKAGE" and (not wanted or row.get("resourceId") in scans):
            scans.setdefault(str(row.get("resourceId", "")), []).append(row)
    if not scans:
        return ["no resource is covered by Inspector: enable it, or correct the tag"]
    after = changed if resource_type in MUTABLE else None
    return [
        f"{name} {why}" for name, found in scans.items() if (why := _gap(found, after)) is not None
    ]


def _gap(rows: Sequence[Mapping[str, Any]], after: datetime | None) -> str | None:
    """Say why one resource does not count as scanned; any of its rows that does is enough."""
    whys = [_row_gap(row, after) for row in rows]
    if None in whys:
        return None
    return whys[0] if whys else "is not covered by Inspector"


def _row_gap(row: Mapping[str, Any], after: datetime | None) -> str | None:
    status = row.get("scanStatus") or {}
    code, reason = status.get("statusCode", "no status"), str(status.get("reason", "no reason"))
    if code != "ACTIVE" or reason != "SUCCESSFUL":
        return f"is not scanned: {REASONS.get(reason, 'no scan succeeded')} ({code}, {reason})"
    scanned = row.get("lastScannedAt")
    if not isinstance(scanned, datetime):
        return "has not been scanned yet"
    if after is not None and scanned < after:
        return f"was last scanned at {scanned.astimezone(UTC):%Y-%m-%d %H:%M:%S}, before the deployment"
    return None


def oldest_scan(rows: Iterable[Mapping[str, Any]]) -> datetime | None:
    """Tell when the resource whose scan is the oldest was scanned."""
    times = [row["lastScannedAt"] for row in rows if isinstance(row.get("lastScannedAt"), datetime)]
    return min(times, default=None)
