"""What machines ask without a token: is it alive, is it ready, how does it fare."""

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from controlplane.api.parts import GivenParts

router = APIRouter(include_in_schema=False)


@router.get("/healthz")
async def alive() -> dict[str, str]:
    """Answer at all: that is all it says. It needs no thread, for all may be busy."""
    return {"status": "alive"}


@router.get("/readyz")
def ready(parts: GivenParts) -> JSONResponse:
    """Ready, or what keeps it from being so; and what is wrong while the rest goes on."""
    problems, degraded = parts.health(), parts.degraded()
    status = "not ready" if problems else "degraded" if degraded else "ready"
    document = {"status": status, "problems": problems, "degraded": degraded}
    return JSONResponse(document, 503 if problems else 200)


@router.get("/metrics")
def metrics(parts: GivenParts) -> Response:
    """Prometheus' text format."""
    return Response(generate_latest(parts.metrics), media_type=CONTENT_TYPE_LATEST)
