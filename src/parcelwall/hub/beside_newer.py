"""While a hub is updated, processes of two versions run beside each other. The earlier reads what the later has written
without what it does not know. Of what is written whole each time (the policy, what is on paper of a site) that would be
gone for all once the earlier one wrote it anew; so it does not. What a later one keeps of a parcel is carried along.
"""

from collections.abc import Iterator
from typing import Any, TypeVar

import msgspec
from asyncpg import Connection
from msgspec import Struct

from parcelwall.errors import Trouble
from parcelwall.hub.migrate import MIGRATIONS
from parcelwall.rules.life import Parcel

Written = TypeVar("Written", bound=Struct)

_KNOWN = len(list(MIGRATIONS.glob("*.sql")))  # as this process began: the files may be a later version's since
_OF_PARCEL = frozenset(each.encode_name for each in msgspec.structs.fields(Parcel))
_NEWEST = "SELECT max(number) FROM migration"


def to_write_anew(body: str, kind: type[Written]) -> Written:
    """What stands in the journal, for whoever changes a part of it and writes all of it again. Raises Trouble if
    there is more in it than this version knows."""
    known = msgspec.json.decode(body, type=kind)
    if more := sorted(_unknown(msgspec.json.decode(body), known)):
        raise Trouble(f"A later version of Parcelwall has set {', '.join(more)}, which this process would lose. "
                      "Ask again when all processes of the hub are updated.")  # fmt: skip
    return known


def _unknown(written: dict[str, Any], known: Struct) -> Iterator[str]:
    fields = {each.encode_name: getattr(known, each.name) for each in msgspec.structs.fields(known)}
    for name, value in written.items():
        if name not in fields:
            yield name
        elif isinstance(value, dict) and isinstance(fields[name], Struct):
            yield from _unknown(value, fields[name])


def only_later_knows(record: str) -> dict[str, Any]:
    """What is kept of a parcel under names that this version does not know: nothing, unless a later one is beside.
    Asked for each parcel that is read to be changed; most have no more names than we know, and are not looked at."""
    if record.count('":') <= len(_OF_PARCEL):
        return {}
    return {name: value for name, value in msgspec.json.decode(record).items() if name not in _OF_PARCEL}


def carried_along(record: str, more: dict[str, Any]) -> str:
    """The record of this version, and what only a later one knows."""
    return msgspec.json.encode(msgspec.json.decode(record) | more).decode() if more else record


async def is_older_than(connection: Connection) -> bool:
    """Whether a later version has brought the database to a state of its own since this process began."""
    return bool((await connection.fetchval(_NEWEST) or 0) > _KNOWN)
