"""The documents' curl commands, sent as written but for host, key and website."""

import argparse
import shlex

import httpx2

from tests.app import Product

_PARSER = argparse.ArgumentParser()
_PARSER.add_argument("url")
_PARSER.add_argument("-X", dest="method")
_PARSER.add_argument("-H", dest="headers", action="append", default=[])
_PARSER.add_argument("-d", dest="data")


async def curl(product: Product, command: str, *, key: str, website: str = "") -> httpx2.Response:
    """Split as a shell does, and sent as curl does: -d is a POST of a form where no header says otherwise."""
    meant = command.replace("https://admaxxer.com", product.url).replace("$KEY", key).replace("admx_123", website)
    program, *rest = shlex.split(meant.replace("\\\n", ""))
    assert program == "curl"
    sent = _PARSER.parse_args(rest)
    headers = dict(header.split(": ", 1) for header in sent.headers)
    if sent.data is not None:
        headers = {"Content-Type": "application/x-www-form-urlencoded"} | headers
    method = sent.method or ("GET" if sent.data is None else "POST")
    return await product.client().request(method, sent.url, content=sent.data, headers=headers)
