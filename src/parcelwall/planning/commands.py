"""`parcelwall plan ...`: each command reads tables, writes a readable report and a plan file, and touches nothing else.

Heavy libraries are imported inside the commands, so that a station or a hub without them starts as fast as before.
"""

import typer

app = typer.Typer(help="Plans: writes a report and a plan file, and never touches operations.", no_args_is_help=True)


@app.callback()
def plan() -> None:
    """Plans: writes a report and a plan file, and never touches operations."""
