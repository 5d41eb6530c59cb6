"""Pages of the AWS console are made of names alone, and nothing in a name leads elsewhere."""

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.explain.places import DOMAINS, PAGES, page_of, safe

REGION = "eu-west-1"
HOST = "https://eu-west-1.console.aws.amazon.com"


@pytest.mark.parametrize(
    ("provider", "configuration", "page"),
    [
        (
            "CloudWatchAlarm",
            {"AlarmName": "shop errors/5xx"},
            f"{HOST}/cloudwatch/home?region=eu-west-1#alarmsV2:alarm/shop%20errors%2F5xx",
        ),
        (
            "InspectorFindings",
            {},
            f"{HOST}/inspector/v2/home?region=eu-west-1#/findings",
        ),
        ("CloudWatchAlarm", {"AlarmName": "#{variables.alarm}"}, ""),
        ("CloudWatchAlarm", {}, ""),
        ("PrometheusQuery", {"Query": "up"}, ""),
    ],
)
def test_a_page_is_made_of_what_is_declared(
    provider: str, configuration: dict[str, str], page: str
) -> None:
    assert page_of(provider, configuration, REGION) == page


def test_another_partition_has_a_console_of_its_own() -> None:
    assert page_of("InspectorFindings", {}, "cn-north-1").startswith(
        "https://console.amazonaws.cn/inspector/"
    )
    assert page_of("InspectorFindings", {}, "") == ""


@given(st.sampled_from(sorted(PAGES)), st.text(min_size=1), st.text() | st.just(REGION))
def test_no_name_leads_out_of_the_console(provider: str, name: str, region: str) -> None:
    page = page_of(provider, {PAGES[provider][0]: name}, region)
    if page:
        host = urlsplit(page).hostname or ""
        assert host.endswith(".console.aws.amazon.com") or host in DOMAINS.values()
        assert page.isascii() and page.isprintable() and '"' not in page


def test_what_a_worker_told_is_followed_only_where_it_is_a_page() -> None:
    assert safe("javascript:alert(1)") == "" and safe("https://ci.example/7") != ""
