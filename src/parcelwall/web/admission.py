"""The API of admission: the rows in force, and an admin who adopts others."""

from typing import Annotated

import msgspec
from litestar import Controller, Response, get, post
from msgspec import Meta

from parcelwall.hub.admission import MOST_ROWS
from parcelwall.hub.house import Hub
from parcelwall.rules.tables import AdmissionRow
from parcelwall.web.answers import answers
from parcelwall.web.bodies import Body
from parcelwall.web.operator import OPERATOR_READS, OPERATOR_WRITES
from parcelwall.web.who import Who


class RowsBody(Body):
    """Rows of admission to adopt, all or none. The newest of a name counts; `ended` takes it out of force."""

    rows: Annotated[list[AdmissionRow], Meta(min_length=1, max_length=MOST_ROWS)]
    plan: Annotated[str, Meta(pattern=r"^[0-9a-f]{0,64}$(?!\n)", description="SHA-256 of the plan file")] = ""


class RowsShown(msgspec.Struct):
    """The rows in force, by name. None at all: whoever has room is admitted."""

    rows: list[AdmissionRow]


class Admission(Controller):
    """Whom stations admit beyond counting room."""

    path = "/admission"
    tags = ["operator"]  # noqa: RUF012 - litestar's own form

    @get("/", summary="The rows of admission in force", responses=answers(200, RowsShown, "In force", OPERATOR_READS))
    async def rows(self, who: Who, hub: Hub) -> Response[bytes]:
        who.must("see")
        return _shown(hub)

    @post("/", status_code=200, summary="Adopt rows of admission",
          responses=answers(200, RowsShown, "In force now", OPERATOR_WRITES))  # fmt: skip
    async def adopt(self, data: RowsBody, who: Who, hub: Hub) -> Response[bytes]:
        """Only admins; who did it stands in the journal. Raises Refusal for a row that cannot be."""
        who.must("admission")
        await hub.adopt_rows(data.rows, data.plan, who.actor)
        return _shown(hub)


def _shown(hub: Hub) -> Response[bytes]:
    return Response(msgspec.json.encode(RowsShown(list(hub.desk.rows))), media_type="application/json")
