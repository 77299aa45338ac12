"""HTTP as servers really speak it: bodies in every framing, connections kept, broken and refused."""

import asyncio

import pytest

from server.bridge.http import Http, Lost, NotSent
from tests.server.bridge.wire import Request, listening


async def test_a_body_of_known_length_is_read_and_the_connection_kept() -> None:
    async def answer(request: Request) -> None:
        await request.answer(200, request.body)

    async with listening(answer) as wire:
        http = Http(wire.url)
        for body in (b"first", b"second"):
            with await http.open("POST", "/echo", {"x-of": "test"}, body) as response:
                assert (response.status, await response.read()) == (200, body)
        assert wire.requests[0].headers["x-of"] == "test"
        assert wire.requests[0].writer is wire.requests[1].writer
        http.close()


async def test_a_body_larger_than_what_is_kept_unread_arrives_whole_in_either_framing() -> None:
    body = bytes(range(256)) * 12_000

    async def answer(request: Request) -> None:
        if request.path == "/chunked":
            await request.raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n" % len(body))
            await request.raw(body + b"\r\n0\r\n\r\n")
        else:
            await request.answer(200, body)

    async with listening(answer) as wire:
        http = Http(wire.url)
        for path in ("/counted", "/chunked"):
            with await http.open("GET", path, {}) as response:
                assert await response.read() == body
        assert wire.requests[0].writer is wire.requests[1].writer
        http.close()


async def test_a_chunked_body_with_trailers_is_read_whole() -> None:
    async def answer(request: Request) -> None:
        await request.raw(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nt: v\r\n\r\n"
        )

    async with listening(answer) as wire:
        http = Http(wire.url)
        for _ in range(2):
            with await http.open("GET", "/", {}) as response:
                assert await response.read() == b"abcde"
        http.close()


async def test_a_body_that_ends_with_the_connection_is_read() -> None:
    async def answer(request: Request) -> None:
        await request.raw(b"HTTP/1.0 200 OK\r\n\r\nall of it")
        request.writer.close()

    async with listening(answer) as wire:
        with await Http(wire.url).open("GET", "/", {}) as response:
            assert await response.read() == b"all of it"


async def test_events_are_found_wherever_the_pieces_are_cut() -> None:
    stream = b': ping\r\n\r\nid: 1\r\ndata: {"a":\r\ndata: 1}\r\n\r\ndata:two\n\nevent: x\n\n'

    async def answer(request: Request) -> None:
        await request.raw(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
        for at in range(len(stream)):
            await request.raw(b"1\r\n" + stream[at : at + 1] + b"\r\n")
        await request.end()

    async with listening(answer) as wire:
        http = Http(wire.url)
        with await http.open("GET", "/", {}) as response:
            assert [event async for event in response.events()] == [b'{"a":\n1}', b"two"]
        http.close()


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"HTTP/1.1 200 OK\r\ncontent-le",
        b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhal",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nnot a number\r\n",
        b"gibberish\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nx: " + b"y" * 100_000,
    ],
)
async def test_an_answer_that_breaks_off_leaves_the_outcome_unknown(said: bytes) -> None:
    async def answer(request: Request) -> None:
        await request.raw(said)
        request.writer.close()

    async with listening(answer) as wire:
        with pytest.raises(Lost), await Http(wire.url).open("POST", "/", {}, b"x") as response:
            await response.read()


async def test_a_server_that_is_not_there_was_sent_nothing() -> None:
    async with listening(lambda _: asyncio.sleep(0)) as wire:
        url = wire.url
    with pytest.raises(NotSent), await Http(url).open("POST", "/", {}, b"x"):
        pass


async def test_a_connection_the_server_closed_meanwhile_is_not_used_again() -> None:
    async def answer(request: Request) -> None:
        await request.answer(200, b"ok")
        request.writer.close()

    async with listening(answer) as wire:
        http = Http(wire.url)
        for _ in range(2):
            with await http.open("GET", "/", {}) as response:
                assert await response.read() == b"ok"
            await asyncio.wait_for(wire.requests[-1].writer.wait_closed(), 30)
            await asyncio.sleep(0)
        http.close()


async def test_leaving_an_answer_unread_closes_the_connection() -> None:
    async def answer(request: Request) -> None:
        await request.stream()
        await asyncio.wait_for(request.gone.wait(), 30)

    async with listening(answer) as wire:
        with await Http(wire.url).open("GET", "/", {}):
            pass
        await asyncio.wait_for(wire.requests[0].gone.wait(), 30)


async def test_a_body_too_large_is_refused_in_the_servers_words() -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        assert b"expect: 100-continue" in head
        writer.write(b"HTTP/1.1 413 Too Large\r\ncontent-length: 3\r\n\r\nbig")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    async with server:
        http = Http(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        with await http.open("POST", "/", {}, b"x" * 5_000_000) as response:
            assert (response.status, await response.read()) == (413, b"big")


@pytest.mark.parametrize("says_continue", [True, False])
async def test_a_large_body_arrives_whether_or_not_the_server_says_continue(
    says_continue: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.bridge.http._CONTINUE_SECONDS", 0.05)

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        if says_continue:
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        size = len(await reader.readexactly(1_000_000))
        writer.write(f"HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\n{size}".encode())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    async with server:
        http = Http(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        with await http.open("POST", "/", {}, b"x" * 1_000_000) as response:
            assert await response.read() == b"1000000"
        http.close()
