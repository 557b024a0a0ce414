"""Requests from the browser: every message with an id gets exactly one reply, an error included."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import anywidget

_STATIC = Path(__file__).parent.parent / "static"
_log = logging.getLogger("idc_widgets")

Handler = Callable[[Mapping[str, Any]], Any]


class Aside:
    """A handler that takes its time: it runs on a thread of its own, and other requests do not wait for it."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler

    def __call__(self, content: Mapping[str, Any]) -> Any:
        return self._handler(content)


def asset(name: str) -> str:
    """Return a file of the built frontend.

    Raises
    ------
    FileNotFoundError
        If this checkout's frontend was not built; wheels always hold it.
    """
    path = _STATIC / name
    if not path.is_file():
        raise FileNotFoundError(f"The frontend is not built ({path} is missing): run `make build` in the checkout.")
    return path.read_text("utf-8")


def answer(widget: anywidget.AnyWidget, handlers: Mapping[str, Handler]) -> None:
    """Answer the browser's requests `{id, op, …}` with `{id, ok, result}` or `{id, ok, error}`.

    A handler raises to refuse; the message of a ValueError, OSError or RuntimeError is written for people and
    reaches them as it stands. Messages may come on any thread: handlers keep no state of their own.
    """

    def on_message(_: Any, content: Mapping[str, Any], __: Any) -> None:
        if not isinstance(content, Mapping) or "id" not in content:
            return
        if isinstance(handlers.get(str(content.get("op"))), Aside):
            threading.Thread(target=reply_to, args=(content,), name="idc-request", daemon=True).start()
        else:
            reply_to(content)

    def reply_to(content: Mapping[str, Any]) -> None:
        reply: dict[str, Any] = {"id": content["id"], "ok": True}
        try:
            reply["result"] = handlers[str(content.get("op"))](content)
        except KeyError as error:
            reply = {"id": content["id"], "ok": False, "error": f"The kernel does not know this request: {error}."}
        except (ValueError, OSError, RuntimeError) as error:
            reply = {"id": content["id"], "ok": False, "error": str(error)}
        except Exception as error:  # the view must hear of it, whatever it is
            _log.exception("request %s failed", content.get("op"))
            reply = {"id": content["id"], "ok": False, "error": f"{type(error).__name__}: {error}".splitlines()[0]}
        widget.send(reply)

    widget.on_msg(on_message)
