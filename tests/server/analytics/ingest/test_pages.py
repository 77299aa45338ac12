"""What addresses of pages tell, and what they must not."""

import pytest

from server.analytics.ingest.pages import host_of, page


@pytest.mark.parametrize(
    ("url", "kept", "host", "path"),
    [
        ("https://Shop.Example:8443/A/b?x=1#top", "https://shop.example/A/b", "shop.example", "/A/b"),
        ("https://shop.example", "https://shop.example/", "shop.example", "/"),
        ("https://user:password@shop.example/", "https://shop.example/", "shop.example", "/"),
        ("https://shop.example/#/route?token=1", "https://shop.example/#/route", "shop.example", "/#/route"),
        ("http://[::1]:80/x", "http://[::1]/x", "[::1]", "/x"),
        ("/only/a/path?x", "/only/a/path", "", "/only/a/path"),
        ("shop.example/x", "", "", ""),
        ("javascript:alert(1)", "", "", ""),
        ("", "", "", ""),
        ("https://", "", "", ""),
        ("https://evil host/", "/", "", "/"),
    ],
)
def test_a_page_is_its_address_without_what_is_anybodys(url: str, kept: str, host: str, path: str) -> None:
    found = page(url)

    assert (found.host, found.path) == (host, path)
    assert host_of(url) == host
    if host:
        assert found.url == kept


@pytest.mark.parametrize(
    ("query", "platform", "campaign"),
    [
        ("gclid=1&gad_campaignid=22", "google", "22"),
        ("gad_source=1&gad_campaignid=22", "google", "22"),
        ("utm_source=google&utm_id=5", "google", "5"),
        ("hsa_cam=9&hsa_net=adwords", "google", "9"),
        ("utm_source=facebook&utm_id=120210&fbclid=1", "meta", "120210"),
        ("utm_source=fb&campaign_id=120210", "meta", "120210"),
        ("hsa_cam=9&hsa_net=facebook", "meta", "9"),
        ("fbclid=1&utm_id={{campaign.id}}", "meta", ""),
        ("fbclid=1&utm_id=%7B%7Bcampaign.id%7D%7D", "meta", ""),
        ("utm_id=5", "", "5"),
        ("utm_id=5&gad_campaignid=22", "google", "22"),
        ("utm_id=" + "9" * 65, "", ""),
        ("utm_id=%27%3B--", "", ""),
        ("x=1", "", ""),
    ],
)
def test_the_campaign_is_told_by_the_platforms_own_parameters(query: str, platform: str, campaign: str) -> None:
    found = page(f"https://shop.example/?{query}")

    assert (found.campaign.campaign_platform, found.campaign.campaign_id) == (platform, campaign)


def test_click_ids_are_known_by_their_digest_alone() -> None:
    found = page("https://shop.example/?GCLID=abc&fbclid=def")

    assert found.campaign.click_id_type == "gclid"
    assert found.click_id_hash == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert "abc" not in found.url


def test_of_a_parameter_that_is_there_twice_the_first_counts() -> None:
    assert page("https://shop.example/?utm_source=a+b%21&utm_source=c&UTM_MEDIUM=d").campaign.utm_source == "a b!"
