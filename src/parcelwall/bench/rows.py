"""What the reference's rows hold: texts and bytes as long as the hub's own, taken from a copy of the network."""

from collections.abc import Sequence

import asyncpg

from parcelwall.bench.network import reference
from parcelwall.bench.pgbench import CLIENTS
from parcelwall.journal.chain import start

_OF_PARCEL = """
SELECT parcel.record, room, person.sealed, person_key.sealed AS key, answer,
  (SELECT body FROM entry WHERE entry.parcel = parcel.id AND kind = 'Announced') AS announced,
  (SELECT body FROM entry WHERE entry.parcel = parcel.id AND kind = 'Reserved') AS reserved
FROM parcel JOIN station ON station.id = parcel.station, person JOIN person_key ON person = id, asked
WHERE parcel.reference = $1 AND person.id = (parcel.record::json->>'person')::uuid AND key = 'prepared-0'"""
_VISIT = '"visit":"01a20258-5dc5-7935-a099-5028dd67eb41"'
_DONE = (
    '{{"parcel":"01a20258-5dc5-74ba-a49d-a786137a84b9","reservation":"01a20258-5dc5-716b-a908-3078a45e8433",'
    '"station":"T-0001","compartment":7,{more}{visit}}}'
)
_DEPOSITED = '"collect_by":"2026-11-25T08:21:15.331834Z","courier":"01a20258-5dc5-7935-a099-5028dd67eb42",'


async def begin_streams(dsn: str, stations: Sequence[str]) -> None:
    """A stream for each client of pgbench, as each hub process has its own, and one for each of these stations."""
    names = [*(f"hub:1/slot-{number}" for number in range(CLIENTS)), *stations]
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(
            "INSERT INTO writer SELECT name, 0, hash FROM unnest($1::text[], $2::bytea[]) AS new (name, hash) "
            "ON CONFLICT DO NOTHING", names, [start(name).hash for name in names],
        )  # fmt: skip
    finally:
        await connection.close()


async def samples(dsn: str) -> dict[str, str]:
    """Variables of the scripts: one row of each table as the hub wrote it, and what a station writes at a door."""
    connection = await asyncpg.connect(dsn)
    try:
        row = await connection.fetchrow(_OF_PARCEL, reference(0))
    finally:
        await connection.close()
    found = {name: f"\\x{value.hex()}" if isinstance(value, bytes) else value for name, value in row.items()}
    return found | {
        "hash": "\\x" + "a5" * 32, "opened": f'{{"compartment":7,{_VISIT}}}', "closed": f'{{"compartment":7,{_VISIT}}}',
        "deposited": _DONE.format(more=_DEPOSITED, visit=_VISIT), "collected": _DONE.format(more="", visit=_VISIT),
    }  # fmt: skip
