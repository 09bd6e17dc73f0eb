"""The wall between carriers: the role that reads on a carrier's behalf, and the rows that exist for it.

Migration 0001 builds it. But a role belongs to a server and not to a database: a backup that is restored on another
machine comes without the role, and so without everything that names it, while the migrations count as applied. So each
start looks, and builds what is missing. What is there is left as it is, and costs one question.
"""

import asyncpg

from parcelwall.errors import Trouble

ROLE = "parcelwall_carrier"

# Nothing may be read before it is known whose it is: row security first, grants last, in one transaction. A lock keeps
# processes apart that start together: two grants at once on one table fail.
_BUILD = """
DO $$
DECLARE
  each regclass;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('parcelwall_carrier'));
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'parcelwall_carrier') THEN
    CREATE ROLE parcelwall_carrier NOLOGIN;
  END IF;
  IF NOT pg_has_role('parcelwall_carrier', 'SET') THEN
    GRANT parcelwall_carrier TO CURRENT_USER;
  END IF;
  FOR each IN SELECT oid FROM pg_class WHERE NOT relrowsecurity AND oid IN (
      'parcel'::regclass, 'person'::regclass, 'feed'::regclass, 'entry'::regclass) LOOP
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', each);
  END LOOP;
  IF NOT EXISTS (SELECT FROM pg_policy WHERE polname = 'own_parcels' AND polrelid = 'parcel'::regclass) THEN
    CREATE POLICY own_parcels ON parcel FOR SELECT TO parcelwall_carrier
      USING (carrier = current_setting('parcelwall.carrier', true));
  END IF;
  IF NOT EXISTS (SELECT FROM pg_policy WHERE polname = 'own_people' AND polrelid = 'person'::regclass) THEN
    CREATE POLICY own_people ON person FOR SELECT TO parcelwall_carrier
      USING (carrier = current_setting('parcelwall.carrier', true));
  END IF;
  IF NOT EXISTS (SELECT FROM pg_policy WHERE polname = 'own_feed' AND polrelid = 'feed'::regclass) THEN
    CREATE POLICY own_feed ON feed FOR SELECT TO parcelwall_carrier
      USING (carrier = current_setting('parcelwall.carrier', true));
  END IF;
  IF NOT EXISTS (SELECT FROM pg_policy WHERE polname = 'own_entries' AND polrelid = 'entry'::regclass) THEN
    CREATE POLICY own_entries ON entry FOR SELECT TO parcelwall_carrier
      USING (EXISTS (SELECT FROM feed WHERE feed.writer = entry.writer AND feed.entry_number = entry.number
                     AND feed.carrier = current_setting('parcelwall.carrier', true)));
  END IF;
  IF NOT has_schema_privilege('parcelwall_carrier', current_schema(), 'USAGE') THEN
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO parcelwall_carrier', current_schema());
  END IF;
  FOR each IN SELECT oid FROM pg_class WHERE NOT has_table_privilege('parcelwall_carrier', oid, 'SELECT') AND oid IN (
      'parcel'::regclass, 'station'::regclass, 'feed'::regclass, 'entry'::regclass) LOOP
    EXECUTE format('GRANT SELECT ON %s TO parcelwall_carrier', each);
  END LOOP;
END $$
"""


async def build(connection: asyncpg.Connection) -> None:
    """Builds what is missing of the wall. Raises Trouble if the hub's role in the database may not do that."""
    try:
        await connection.execute(_BUILD)
    except asyncpg.InsufficientPrivilegeError as no:
        user = await connection.fetchval("SELECT current_user")
        raise Trouble(
            f"the role {ROLE}, as which carriers read, is missing or not ours: {no}. A superuser of the database mends "
            f"it with: CREATE ROLE {ROLE}; GRANT {ROLE} TO {user};"
        ) from no
