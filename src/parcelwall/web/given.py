"""What is one hub's, given to the app that all hubs of a process have in common.

Litestar takes a third of a second of CPU to make an app of our 300 handlers, and nothing in it hangs on a hub. So the
app is made once, and each request brings what handlers ask for by name.
"""

from collections.abc import Callable
from typing import Any

from litestar.connection import ASGIConnection
from litestar.types import ASGIApp, Scope

_GIVEN = "parcelwall"  # in the state of a request's scope


class Given:
    """The common app as the app of one hub: `things` by name, for each request."""

    def __init__(self, app: ASGIApp, things: dict[str, Any]) -> None:
        self._app, self._things = app, things

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        scope.setdefault("state", {})[_GIVEN] = self._things
        await self._app(scope, receive, send)


def giver(name: str) -> Callable[[Scope], Any]:
    """A dependency of that name."""

    def give(scope: Scope) -> Any:
        return scope["state"][_GIVEN][name]

    return give


def given(request: ASGIConnection[Any, Any, Any, Any], name: str) -> Any:
    """The same, for whoever has only the request."""
    return request.scope["state"][_GIVEN][name]
