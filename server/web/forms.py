"""The forms of our pages, read the same way everywhere and never beyond what a person would send."""

from urllib.parse import parse_qs

from starlette.requests import Request

from tools.errors import InvalidRequest, TooLarge, UnsupportedMediaType

MAX_FORM = 8 * 1024


async def form(request: Request) -> dict[str, str]:
    """The fields of an urlencoded form; one left empty is left out, one given several times is a list with commas."""
    if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        raise UnsupportedMediaType("This takes a form.", fix="Send application/x-www-form-urlencoded.")
    received = bytearray()
    async for chunk in request.stream():
        received += chunk
        if len(received) > MAX_FORM:
            raise TooLarge(f"At most {MAX_FORM} bytes are read here.", fix="Shorten what you typed.")
    try:
        fields = parse_qs(received.decode(), max_num_fields=20)
    except ValueError:  # not as the cause: it quotes the form, which may hold a token
        raise InvalidRequest("The form cannot be read.", fix="Reload the page and try again.") from None
    return {name: text for name, values in fields.items() if (text := ",".join(values).strip())}
