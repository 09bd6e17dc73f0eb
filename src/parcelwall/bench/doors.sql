-- Deposit one parcel, then collect it: two transactions, each the rows of hub/ingest.py for the three entries that a
-- station writes (the door opened, the door shut, the parcel is in or out). A client's compartment is its own.
\set n :n + 1
\set place :n * 16 + :client_id
BEGIN;
SELECT id AS parcel, revision AS revision, reservation, station AS station_id, record AS old_record FROM parcel WHERE reference = 'L' || lpad(:place::text, 7, '0') AND carrier = 'bench-post' FOR NO KEY UPDATE \gset
SELECT config, room AS old_room, in_service FROM station WHERE id = :station_id FOR NO KEY UPDATE \gset
SELECT a.number AS number_a, b.number AS number_b, a.hash AS hash_a, b.hash AS hash_b FROM writer a, writer b WHERE a.name = :station_id AND b.name = 'hub:1/' || :station_id FOR NO KEY UPDATE \gset
SELECT * FROM case_file WHERE closed_at IS NULL AND station = :station_id;
INSERT INTO entry (writer, number, kind, happened_at, body, hash, recorded_at, parcel, revision) VALUES (:station_id, :number_a::bigint + 1, 'DoorOpened', now(), :opened, :hash, now(), NULL, NULL), (:station_id, :number_a::bigint + 2, 'DoorClosed', now(), :closed, :hash, now(), NULL, NULL), (:station_id, :number_a::bigint + 3, 'Deposited', now(), :deposited, :hash, now(), :parcel::uuid, :revision::int + 1);
UPDATE writer SET number = number + 3, hash = :hash WHERE name = :station_id;
UPDATE parcel SET carrier = 'bench-post', reference = 'L' || lpad(:place::text, 7, '0'), stage = 'READY', station = :station_id, reservation = :reservation::uuid, compartment = 1 + :client_id::int, due = now() + interval '2 days', contested = false, revision = :revision::int + 1, label = NULL, record = :record WHERE id = :parcel::uuid;
UPDATE station SET room = :room WHERE id = :station_id;
INSERT INTO feed (carrier, number, writer, entry_number) VALUES ('bench-post', 2000000000 + 2 * :place::bigint, :station_id, :number_a::bigint + 3);
COMMIT;
BEGIN;
SELECT id AS parcel, revision AS revision, reservation, station AS station_id, record AS old_record FROM parcel WHERE reference = 'L' || lpad(:place::text, 7, '0') AND carrier = 'bench-post' FOR NO KEY UPDATE \gset
SELECT config, room AS old_room, in_service FROM station WHERE id = :station_id FOR NO KEY UPDATE \gset
SELECT a.number AS number_a, b.number AS number_b, a.hash AS hash_a, b.hash AS hash_b FROM writer a, writer b WHERE a.name = :station_id AND b.name = 'hub:1/' || :station_id FOR NO KEY UPDATE \gset
SELECT * FROM case_file WHERE closed_at IS NULL AND station = :station_id;
INSERT INTO entry (writer, number, kind, happened_at, body, hash, recorded_at, parcel, revision) VALUES (:station_id, :number_a::bigint + 1, 'DoorOpened', now(), :opened, :hash, now(), NULL, NULL), (:station_id, :number_a::bigint + 2, 'DoorClosed', now(), :closed, :hash, now(), NULL, NULL), (:station_id, :number_a::bigint + 3, 'Collected', now(), :collected, :hash, now(), :parcel::uuid, :revision::int + 1);
UPDATE writer SET number = number + 3, hash = :hash WHERE name = :station_id;
UPDATE parcel SET carrier = 'bench-post', reference = 'L' || lpad(:place::text, 7, '0'), stage = 'COLLECTED', station = :station_id, reservation = :reservation::uuid, compartment = NULL, due = NULL, contested = false, revision = :revision::int + 1, label = NULL, record = :record WHERE id = :parcel::uuid;
UPDATE station SET room = :room WHERE id = :station_id;
INSERT INTO feed (carrier, number, writer, entry_number) VALUES ('bench-post', 2000000001 + 2 * :place::bigint, :station_id, :number_a::bigint + 3);
COMMIT;
