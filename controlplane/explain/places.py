"""Where in the AWS console one finds what an action or a rule is about: a page made of names, asked of nobody.

The page is of the account that the browser is signed in to; which one it must be is said beside the link.
"""

import re
from collections.abc import Mapping
from urllib.parse import quote

DOMAINS: Mapping[str, str] = {
    "cn-": "console.amazonaws.cn",
    "us-gov-": "console.amazonaws-us-gov.com",
}
"""Of the partitions by how their regions begin; all others are of the first."""
REGION = re.compile(r"[a-z0-9-]{1,40}")
PAGES: Mapping[str, tuple[str, str]] = {
    "CloudFormation": (
        "StackName",
        "/cloudformation/home?region={region}#/stacks?filteringText={name}",
    ),
    "CloudWatchAlarm": ("AlarmName", "/cloudwatch/home?region={region}#alarmsV2:alarm/{name}"),
    "CodeBuild": ("ProjectName", "/codesuite/codebuild/projects/{name}/history?region={region}"),
    "Lambda": ("FunctionName", "/lambda/home?region={region}#/functions/{name}"),
    "InspectorFindings": ("", "/inspector/v2/home?region={region}#/findings"),
    "SyntheticsCanary": (
        "CanaryName",
        "/cloudwatch/home?region={region}#synthetics:canary/detail/{name}",
    ),
}
"""By provider: what in the configuration names it ("" nothing), and its page."""


def page_of(provider: str, configuration: Mapping[str, str], region: str) -> str:
    """Answer the address; "" where there is none, or where its name is known only to an execution."""
    if provider not in PAGES or not REGION.fullmatch(region):
        return ""
    named_by, page = PAGES[provider]
    name = configuration.get(named_by, "")
    if named_by and (not name or "#{" in name):
        return ""
    return f"https://{_host(region)}{page.format(region=region, name=quote(name, safe=''))}"


def safe(url: str) -> str:
    """Answer an address that a driver or a worker told, where a browser may follow it; else ""."""
    return url if url.startswith(("https://", "http://")) else ""


def _host(region: str) -> str:
    other = next((domain for start, domain in DOMAINS.items() if region.startswith(start)), "")
    return other or f"{region}.console.aws.amazon.com"
