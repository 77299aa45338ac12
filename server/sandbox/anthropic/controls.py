"""What a test watches and steers: the requests that came, the turns to come, whether the model obeys all it reads."""

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from server.sandbox.anthropic.messages import Messages
from server.sandbox.anthropic.received import Inbox
from server.sandbox.anthropic.script import ScriptRefused


class Controls:
    def __init__(self, messages: Messages, inbox: Inbox) -> None:
        self._messages = messages
        self._inbox = inbox

    async def answer(self, request: Request, path: str) -> Response | None:
        """None where the path is the API's own."""
        try:
            match request.method, path:
                case "GET", "/requests":
                    return JSONResponse(self._inbox.to_json())
                case "DELETE", "/requests":
                    self._inbox.clear()
                    return JSONResponse([])
                case "GET" | "POST" | "DELETE", "/script":
                    return await self._script(request)
                case "GET" | "POST", "/mode":
                    return await self._mode(request)
        except (ScriptRefused, orjson.JSONDecodeError) as error:
            return JSONResponse({"error": str(error)}, 400)
        return None

    async def _script(self, request: Request) -> Response:
        script = self._messages.script
        if request.method == "DELETE":
            script.clear()
        if request.method == "POST":
            script.add(orjson.loads(await request.body()))
        return JSONResponse({"waiting": len(script)}, 201 if request.method == "POST" else 200)

    async def _mode(self, request: Request) -> Response:
        if request.method == "POST":
            wanted = orjson.loads(await request.body())
            if not isinstance(wanted, dict) or not isinstance(wanted.get("gullible"), bool) or len(wanted) > 1:
                return JSONResponse({"error": 'send {"gullible": true} or {"gullible": false}'}, 400)
            self._messages.gullible = wanted["gullible"]
        return JSONResponse({"gullible": self._messages.gullible})
