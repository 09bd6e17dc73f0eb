-- A process reads the stations that changed since it looked last, not all of them each second. The transaction that
-- changed one is kept, because numbers of a sequence may commit out of order (as for followers, docs/decisions/0001).
-- `room` is written all the time and is none of this: its updates stay in place.
ALTER TABLE station ADD changed bigint NOT NULL DEFAULT (pg_current_xact_id()::text::bigint);
CREATE INDEX station_changed ON station (changed);
