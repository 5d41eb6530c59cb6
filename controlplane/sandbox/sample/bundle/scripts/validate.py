# ruff: noqa: INP001
"""Say whether the service is up and stays up for a while; in prod the while is longer."""

import http.client
import os
import sys
import time

SOAK = {"prod": 2.0}  # seconds to watch; elsewhere a moment
PATIENCE = 5.0  # seconds that the service may take to come up


def status(path: str) -> int:
    """Ask the service; 0 where it does not answer."""
    connection = http.client.HTTPConnection("127.0.0.1", int(os.environ["PORT"]), timeout=2)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()


def main() -> int:
    """Answer the exit code: 0 only for a service that came up and stayed up."""
    deadline = time.monotonic() + PATIENCE
    while status("/healthz") != http.client.OK:
        if time.monotonic() > deadline:
            sys.stderr.write("the service did not come up\n")
            return 1
        time.sleep(0.02)  # noqa: TID251 - a script of the sample
    end = time.monotonic() + SOAK.get(os.environ.get("ENVIRONMENT", ""), 0.1)
    while time.monotonic() < end:
        if status("/healthz") != http.client.OK or status("/") != http.client.OK:
            sys.stderr.write("the service came up but did not stay well\n")
            return 1
        time.sleep(0.25)  # noqa: TID251 - a script of the sample
    sys.stdout.write("the service is well\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
