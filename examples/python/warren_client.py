"""A small client of Warren: plain Python 3.9 or newer, nothing but the standard library.

It speaks HTTP to the unix socket of the daemon, or to its port with a token, as docs/protocol.md says.
"""

from __future__ import annotations

import http.client
import json
import socket
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode, urlsplit

ANSWER_BYTES_MAX = 64 * 2**20
EVENT_BYTES_MAX = 16 * 2**20
SILENCE_S = 45.0  # The daemon gives a sign of life every 15 seconds.


class WarrenFault(Exception):
    """What the daemon refuses, or cannot do: `code` is for programs, the message for people."""

    def __init__(self, problem: dict[str, Any]) -> None:
        super().__init__(str(problem.get("detail", "the daemon gave no reason")))
        self.code: str = str(problem.get("code", "internal"))
        self.status: int = int(problem.get("status", 500))
        self.details: dict[str, Any] = problem.get("details", {})
        self.retry_after_s: float | None = problem.get("retry_after_s")


class CallFailed(Exception):
    """A call that was decided against, or went wrong. `error` says what happened, and what to do next."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(f"{error['type']}: {error['message']}")
        self.error = error


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class Warren:
    """`Warren(socket_path=…)` is whoever may open the socket; `Warren(url=…, token=…)` is the holder of the token.

    People name the `agent` they act as. The token of an agent, or of a process, is that agent.
    """

    def __init__(
        self,
        *,
        socket_path: str | None = None,
        url: str | None = None,
        token: str | None = None,
        agent: str | None = None,
        workspace: str | None = None,
        timeout_s: float = 120.0,
    ) -> None:
        if (socket_path is None) == (url is None):
            raise ValueError("give socket_path or url")
        self._socket_path = socket_path
        self._url = urlsplit(url) if url is not None else None
        self._timeout_s = timeout_s
        self._agent = agent
        self._headers = {"accept": "application/json"}
        if token is not None:
            self._headers["authorization"] = f"Bearer {token}"
        if agent is not None:
            self._headers["warren-agent"] = agent
        if workspace is not None:
            self._headers["warren-workspace"] = workspace

    # --- Requests -----------------------------------------------------------------------------------------------------

    def request(self, method: str, path: str, params: dict[str, Any] | None = None, *, timeout_s: float | None = None) -> Any:
        """One operation. Throws WarrenFault, and OSError when nobody answers."""
        params = {key: value for key, value in (params or {}).items() if value is not None}
        headers, body = dict(self._headers), None
        if method == "GET":
            path = f"{path}?{urlencode(params, doseq=True)}" if params else path
        else:
            headers["content-type"] = "application/json"
            body = json.dumps(params)
        connection = self._connect(self._timeout_s if timeout_s is None else timeout_s)
        try:
            connection.request(method, path, body=body, headers=headers)
            return self._read(connection.getresponse())
        finally:
            connection.close()

    def _connect(self, timeout_s: float) -> http.client.HTTPConnection:
        if self._socket_path is not None:
            return _UnixConnection(self._socket_path, timeout_s)
        kind = http.client.HTTPSConnection if self._url.scheme == "https" else http.client.HTTPConnection
        return kind(self._url.hostname, self._url.port, timeout=timeout_s)

    @staticmethod
    def _read(response: http.client.HTTPResponse) -> Any:
        body = response.read(ANSWER_BYTES_MAX + 1)
        if len(body) > ANSWER_BYTES_MAX:
            raise WarrenFault({"code": "too_large", "detail": "the answer is too large"})
        try:
            answer = json.loads(body) if body else {}
        except ValueError:
            raise WarrenFault({"code": "protocol_error", "status": response.status, "detail": "the answer is no JSON"}) from None
        if "jsonrpc" in answer and "error" in answer:  # Of JSON-RPC, whose answers to a call are 200 also when it fails.
            error = answer["error"]
            details = error.get("data") or {}
            answer = {"code": details.get("fault", "internal"), "detail": error["message"], "details": details}
        elif response.status < 400:
            return answer
        after = response.headers.get("retry-after", "")
        raise WarrenFault({"status": response.status, **answer, "retry_after_s": float(after) if after.isdigit() else None})

    # --- Agents and calls ---------------------------------------------------------------------------------------------

    def rpc(self, method: str, params: dict[str, Any] | None = None) -> Any:
        """The same operations, and those of an earlier system, over JSON-RPC."""
        return self.request("POST", "/rpc", {"jsonrpc": "2.0", "id": 1, "method": method, "params": params or {}})["result"]

    def identify(self) -> dict[str, Any]:
        """Who this is: `agent`, and the `pid` of the process it acts as, which begins if there is none."""
        session = self.rpc("session.create")
        return {"agent": session["agent"], "pid": int(session["session_id"].removeprefix("sess-"))}

    def capabilities(self) -> list[dict[str, Any]]:
        """What may be called, with the schema of its arguments."""
        return self.request("GET", "/api/tools", {"format": "mcp", "agent": self._agent})["tools"]

    def call(
        self,
        capability: str,
        arguments: dict[str, Any] | None = None,
        *,
        wait_for_approval_s: float = 0.0,
        key: str | None = None,
        attempts: int = 5,
    ) -> dict[str, Any]:
        """What the capability answers. Throws CallFailed; while a person has to approve, it waits that long, and then throws.

        With a `key` it is carried out once, however often it is tried; without one it is tried once only.
        """
        answer = self._make(capability, arguments or {}, key, attempts)
        until = time.monotonic() + wait_for_approval_s
        while answer["state"] == "pending" and time.monotonic() < until:
            wait_ms = max(1, min(20_000, int((until - time.monotonic()) * 1_000)))
            asked = {"call_id": answer["call_id"], "wait_ms": wait_ms}
            answer = self.request("POST", "/api/tools/call", {"name": "warren__call_result", "arguments": asked, "agent": self._agent})
        if answer["state"] == "done":
            return answer["output"]
        if answer["state"] == "failed":
            raise CallFailed(answer["error"])
        raise CallFailed({"type": "ApprovalPending", "message": "nobody has approved it yet", "call_id": answer["call_id"]})

    def _make(self, capability: str, arguments: dict[str, Any], key: str | None, attempts: int) -> dict[str, Any]:
        params = {"name": capability, "arguments": arguments, "agent": self._agent, "idempotency_key": key, "on_ask": "return"}
        for attempt in range(1, attempts + 1):
            is_last = key is None or attempt == attempts
            try:
                return self.request("POST", "/api/tools/call", params)
            except WarrenFault as fault:
                if is_last or fault.status not in (429, 503):
                    raise
                pause_s = fault.retry_after_s if fault.retry_after_s is not None else 0.2 * 2**attempt
            except OSError:
                if is_last:
                    raise
                pause_s = 0.2 * 2**attempt
            time.sleep(min(pause_s, 30.0))
        raise AssertionError("the last attempt answers or throws")

    # --- Events -------------------------------------------------------------------------------------------------------

    def events(self, *, after: str | int | None = None, **filters: Any) -> Iterator[dict[str, Any]]:
        """Every event from there on, each once: after a connection that broke it goes on behind the last one. Ends never.

        Each is `{"id", "event", "data"}`. `filters` are those of the stream: `pid`, `kind`, `view="supervision"`, `agent`, `types` …
        """
        last = None if after is None else str(after)
        pause_s = 0.2
        while True:
            try:
                for event in self._stream({**filters, "after": last}):
                    pause_s = 0.2
                    last = event["id"]
                    if event["data"] is not None:
                        yield event
            except OSError:
                pass  # The daemon stopped, or the way to it broke: it is tried again below.
            except http.client.HTTPException:
                pass  # As above, within an answer.
            except WarrenFault as fault:
                if fault.status not in (429, 503):
                    raise
            time.sleep(pause_s)
            pause_s = min(pause_s * 2, 10.0)

    def _stream(self, params: dict[str, Any]) -> Iterator[dict[str, Any]]:
        query = urlencode({key: value for key, value in params.items() if value is not None}, doseq=True)
        connection = self._connect(SILENCE_S)
        try:
            connection.request("GET", f"/events?{query}", headers={**self._headers, "accept": "text/event-stream"})
            response = connection.getresponse()
            if response.status != 200:
                self._read(response)
            yield from _parse(response)
        finally:
            connection.close()


def _parse(lines: http.client.HTTPResponse) -> Iterator[dict[str, Any]]:
    event: dict[str, Any] = {"id": None, "event": "message", "data": None}
    last_id = None
    while line := lines.readline(EVENT_BYTES_MAX):
        if not line.endswith(b"\n"):
            return  # Cut off within an event, which comes again.
        text = line.decode("utf-8").rstrip("\r\n")
        if text == "":
            if last_id is not None:
                yield {**event, "id": last_id}
            event = {"id": None, "event": "message", "data": None}
            last_id = None
            continue
        name, _, value = text.partition(":")
        value = value[1:] if value.startswith(" ") else value
        if name == "id":
            last_id = value
        elif name == "event":
            event["event"] = value
        elif name == "data":
            event["data"] = json.loads(value)
