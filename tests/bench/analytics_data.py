"""Ten million events of four shops, made inside the engine from row numbers alone: the same rows on every machine."""

WEBSITES = 4
DAYS = 120
FIRST_DAY = "2026-07-04"
LAST_DAY = "2026-10-31"
PAGES_A_SESSION = 5.0  # 1 to 9, evenly
SLICES = 5  # of a website's sessions; each is one INSERT, which bounds what is held in memory

_CHANNELS = "['direct', 'organic_search', 'ai', 'organic_social', 'paid_search', 'paid_social', 'email', 'referral']"
_SOURCES = "['', '', '', '', 'google', 'facebook', 'newsletter', '']"
_MEDIA = "['', '', '', '', 'cpc', 'paid_social', 'email', '']"
_HOSTS = (
    "['', 'www.google.com', 'chatgpt.com', 'l.facebook.com', 'www.google.com', 'l.facebook.com', '', 'news.example']"
)


def statements(events: int, database: str) -> list[str]:
    return [each.format(database=database) for each in (*_pageviews(events), _GOALS, _PAYMENTS, _SPEND)]


def _pageviews(events: int) -> list[str]:
    """One statement a slice of a website's sessions; visitors are a third as many as sessions."""
    sessions = int(events / WEBSITES / PAGES_A_SESSION)
    size = -(-sessions // SLICES)
    return [
        _slice(website, start, min(size, sessions - start), max(sessions // 3, 1))
        for website in range(WEBSITES)
        for start in range(0, sessions, size)
    ]


def _slice(website: int, start: int, count: int, visitors: int) -> str:
    """`k` numbers the session, `v` the visitor, `i` the view; all else is a hash of these."""
    return f"""
    INSERT INTO {{database}}.pageviews (
        workspace_id, website_id, ts, event_id, visitor_id, session_id, url, host, path, title,
        referrer, referrer_host, utm_source, utm_medium, utm_campaign, channel, llm_engine, campaign_platform,
        campaign_id, country, device, browser, os, screen_w, language, is_bot, ingest_ts)
    SELECT 'wsp_bench', 'admx_{website}', ts, lower(hex(sipHash128(k, i, {website}))),
        lower(hex(sipHash128(toUInt64(v), {website}, 'v'))), lower(hex(sipHash128(k, {website}, 's'))),
        concat('https://shop.example', page), 'shop.example', page, page,
        if(i = 0 AND host != '', concat('https://', host, '/'), ''), if(i = 0, host, ''),
        if(i = 0, {_SOURCES}[c], ''), if(i = 0, {_MEDIA}[c], ''),
        if(i = 0 AND c IN (5, 6), concat('campaign ', toString(k % 40)), ''), {_CHANNELS}[c],
        if(c = 3, 'chatgpt', ''), multiIf(c = 5, 'google', c = 6, 'meta', ''),
        if(c IN (5, 6), toString(1000 + k % 40), ''),
        ['US', 'DE', 'FR', 'GB', 'ES', 'IT', 'NL', 'PL', 'BR', 'IN'][1 + cityHash64(v) % 10],
        ['desktop', 'mobile', 'tablet'][1 + cityHash64(v, 1) % 3],
        ['Chrome', 'Safari', 'Firefox', 'Edge'][1 + cityHash64(v, 2) % 4],
        ['Windows', 'macOS', 'Android', 'iOS', 'Linux'][1 + cityHash64(v, 3) % 5],
        1920, ['en', 'de', 'fr'][1 + cityHash64(v, 4) % 3], cityHash64(v, 5) % 40 = 0, ts + INTERVAL 1 SECOND
    FROM (
        SELECT k, v, i, c, {_HOSTS}[c] AS host,
            toDateTime64('{FIRST_DAY} 00:00:00', 3, 'UTC')
                + toIntervalMillisecond(cityHash64(k, {website}) % ({DAYS} * 86400000 - 600000)
                    + i * 40000 + cityHash64(k, i) % 30000) AS ts,
            concat('/p/', toString(intDiv(cityHash64(k, i, 7) % 1000 * (cityHash64(k, i, 8) % 1000), 2000))) AS page
        FROM (
            SELECT number + {start} AS k, cityHash64(k, {website}, 'v') % {visitors} AS v,
                1 + cityHash64(k, 9) % 8 AS c, arrayJoin(range(1 + cityHash64(k, 3) % 9)) AS i
            FROM numbers({count})
        )
    )"""  # noqa: S608 -- our own words


_GOALS = """
    INSERT INTO {database}.custom_goals (
        workspace_id, website_id, ts, event_id, visitor_id, session_id, name, value, currency,
        host, path, channel, is_bot, ingest_ts)
    SELECT workspace_id, website_id, ts + INTERVAL 5 MILLISECOND, concat('g', event_id), visitor_id, session_id,
        ['signup', 'add_to_cart', 'newsletter'][1 + cityHash64(event_id) % 3], cityHash64(event_id) % 100, 'USD',
        host, path, channel, is_bot, ingest_ts
    FROM {database}.pageviews WHERE cityHash64(event_id, 1) % 25 = 0"""

_PAYMENTS = """
    INSERT INTO {database}.visitor_payments (
        workspace_id, website_id, ts, event_id, visitor_id, session_id, amount, currency,
        kind, transaction_id, is_bot, ingest_ts)
    SELECT workspace_id, website_id, ts + INTERVAL 9 MILLISECOND, concat('p', event_id), visitor_id, session_id,
        toDecimal64(5 + (cityHash64(event_id) % 10000) / 100, 4), if(cityHash64(event_id, 2) % 10 = 0, 'EUR', 'USD'),
        if(cityHash64(event_id, 3) % 20 = 0, 'refund', 'payment'), concat('t', event_id), is_bot, ingest_ts
    FROM {database}.pageviews WHERE cityHash64(event_id, 1) % 90 = 1"""

_SPEND = f"""
    INSERT INTO {{database}}.ad_spend_daily (
        workspace_id, date, platform, account_id, campaign_id, campaign_name, channel, currency,
        spend, impressions, clicks, conversions, conversion_value, ingest_ts)
    SELECT 'wsp_bench', toDate('{FIRST_DAY}') + intDiv(number, 40), if(number % 2 = 0, 'google', 'meta'), 'a1',
        toString(1000 + number % 40), concat('campaign ', toString(number % 40)),
        if(number % 2 = 0, 'paid_search', 'paid_social'), 'USD', toDecimal64(20 + cityHash64(number) % 8000 / 100, 4),
        cityHash64(number, 1) % 10000, cityHash64(number, 2) % 300, cityHash64(number, 3) % 20,
        toDecimal64(cityHash64(number, 4) % 20000 / 100, 4), toDateTime64('{LAST_DAY} 12:00:00', 3, 'UTC')
    FROM numbers(40 * {DAYS})"""  # noqa: S608 -- as above
