"""Reads server-sent events as the WHATWG specification has them, with a time limit on every wait."""

import json
from dataclasses import dataclass

import requests

TIMEOUT = 60


@dataclass(frozen=True)
class Message:
    id: str
    event: str
    text: str

    @property
    def data(self):
        return json.loads(self.text)


class EventStream:
    """One `GET /api/events`; `comments`, `retry` and `last_id` tell what else has come."""

    def __init__(self, server, token, headers=None, **query):
        self.response = requests.get(
            f"{server.url}/api/events",
            params=query,
            headers={"vmware-api-session-id": token, **(headers or {})},
            verify=str(server.ca_file),
            stream=True,
            timeout=TIMEOUT,
        )
        self.status = self.response.status_code
        self.comments = 0
        self.retry = None
        self.last_id = ""
        self.lines = self.response.iter_lines(chunk_size=1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.response.close()

    def line(self):
        """The next line; None at the end."""
        line = next(self.lines, None)
        return None if line is None else line.decode()

    def next(self):
        """The next message; None when the stream has ended."""
        event, data = "message", []
        while (line := self.line()) is not None:
            if not line:
                if data:
                    return Message(self.last_id, event, "\n".join(data))
                event = "message"
                continue
            if line.startswith(":"):
                self.comments += 1
                continue
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if name == "data":
                data.append(value)
            elif name == "event":
                event = value
            elif name == "id":
                self.last_id = value
            elif name == "retry":
                self.retry = int(value)
        return None

    def heartbeat(self):
        """Waits for a comment."""
        seen = self.comments
        while self.comments == seen:
            assert self.line_is_read(), "the stream has ended"

    def line_is_read(self):
        line = self.line()
        if line is not None and line.startswith(":"):
            self.comments += 1
        elif line is not None and line.startswith("id: "):
            self.last_id = line[4:]
        return line is not None
