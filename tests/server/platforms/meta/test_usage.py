"""The quota as Meta's headers tell it."""

import json

import pytest

from server.platforms.meta.usage import Usage, read_usage


def headers(**values: object) -> dict[str, str]:
    return {f"x-{name.replace('_', '-')}": json.dumps(value) for name, value in values.items()}


def test_the_fullest_of_all_named_quotas_counts() -> None:
    told = headers(
        app_usage={"call_count": 10, "total_time": 20, "total_cputime": 5},
        ad_account_usage={"acc_id_util_pct": 9.67, "reset_time_duration": 100},
        business_use_case_usage={
            "111": [{"type": "ads_management", "call_count": 30, "total_cputime": 81, "total_time": 2}],
            "222": [{"type": "ads_insights", "call_count": 40, "estimated_time_to_regain_access": 0}],
        },
        fb_ads_insights_throttle={"app_id_util_pct": 3.5, "acc_id_util_pct": 0},
    )
    assert read_usage(told) == Usage(percent=81.0, regain_seconds=0)


def test_business_minutes_become_seconds_and_go_before_the_accounts_reset() -> None:
    told = headers(
        ad_account_usage={"acc_id_util_pct": 100, "reset_time_duration": 42},
        business_use_case_usage={"111": [{"estimated_time_to_regain_access": 3}]},
    )
    assert read_usage(told).regain_seconds == 180


def test_the_accounts_reset_counts_in_seconds_once_it_is_full() -> None:
    full = headers(ad_account_usage={"acc_id_util_pct": 100, "reset_time_duration": 42})
    half = headers(ad_account_usage={"acc_id_util_pct": 50, "reset_time_duration": 42})
    assert read_usage(full).regain_seconds == 42
    assert read_usage(half).regain_seconds == 0


@pytest.mark.parametrize("value", ["", "{", "[]", "null", '"x"', '{"acc_id_util_pct": "many"}', '{"1": {"a": 1}}'])
def test_headers_that_cannot_be_read_never_fail_a_call(value: str) -> None:
    names = ("x-app-usage", "x-ad-account-usage", "x-business-use-case-usage", "x-fb-ads-insights-throttle")
    assert read_usage(dict.fromkeys(names, value)) == Usage()


def test_reading_slows_down_as_the_quota_fills() -> None:
    assert [Usage(percent).pause for percent in (0.0, 74.9, 75.0, 85.0, 95.0, 100.0)] == pytest.approx(
        [0, 0, 0.1, 1.05, 5, 5]
    )
