"""The libraries of the extra `planning`: who lacks one is told so, not that Parcelwall has a fault."""

from typing import Any

from typer.core import TyperGroup

from parcelwall.errors import Trouble


def told(no: ModuleNotFoundError) -> Exception:
    """What to raise: of a library that is not there a Trouble, of a module of our own what it is, a fault of ours."""
    library = (no.name or "").partition(".")[0]
    if library in ("", "parcelwall"):
        return no
    return Trouble(f"this command needs {library}, a library of the extra `planning`: script/setup planning")


class Planning(TyperGroup):
    """Commands that import the libraries when they run. Raises Trouble for one that is not installed."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except ModuleNotFoundError as no:
            raise told(no) from None
