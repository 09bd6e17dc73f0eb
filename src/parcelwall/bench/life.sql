-- The whole life of one parcel in three transactions: announced with room (announce.sql), brought, collected (doors.sql).
\set n :n + 1
\set station random(1, :stations)
BEGIN;
SELECT id AS station_id, config, room AS old_room, in_service, lpad(to_hex(:n::bigint * 1024 + :client_id::bigint), 32, '0')::uuid AS parcel FROM station WHERE id = 'U-' || lpad(:station::text, 4, '0') FOR NO KEY UPDATE \gset
SELECT a.number AS number_a, b.number AS number_b, a.hash AS hash_a, b.hash AS hash_b FROM writer a, writer b WHERE a.name = 'hub:1/' || :station_id AND b.name = 'hub:1/slot-' || :client_id::text FOR NO KEY UPDATE \gset
INSERT INTO entry (writer, number, kind, happened_at, body, hash, recorded_at, parcel, revision) VALUES ('hub:1/' || :station_id, :number_a::bigint + 1, 'Reserved', now(), :reserved, :hash, now(), :parcel, 2), ('hub:1/slot-' || :client_id::text, :number_b::bigint + 1, 'Announced', now(), :announced, :hash, now(), :parcel, 1);
UPDATE writer SET number = number + 1, hash = :hash WHERE name IN ('hub:1/' || :station_id, 'hub:1/slot-' || :client_id::text);
INSERT INTO parcel (id, carrier, reference, stage, station, reservation, compartment, due, contested, revision, label, record) VALUES (:parcel, 'bench-post', 'R' || :client_id::text || '-' || :n::text, 'RESERVED', :station_id, :parcel, NULL, now() + interval '3 days', false, 2, NULL, :record);
UPDATE station SET room = :room WHERE id = :station_id;
INSERT INTO person (id, carrier, sealed, made_at) VALUES (:parcel, 'bench-post', :sealed, now());
INSERT INTO person_key (person, sealed) VALUES (:parcel, :key);
INSERT INTO link (hash, parcel, page) VALUES (sha256(:parcel::text::bytea), :parcel, 'track') ON CONFLICT DO NOTHING;
INSERT INTO asked (actor, key, request_hash, status, answer, at) VALUES ('bench-post', 'k' || :client_id::text || '-' || :n::text, :hash, 201, :answer, now());
INSERT INTO feed (carrier, number, writer, entry_number) VALUES ('bench-post', 3000000000 + 4 * (:n::bigint * 16 + :client_id::bigint), 'hub:1/slot-' || :client_id::text, :number_b::bigint + 1), ('bench-post', 3000000000 + 4 * (:n::bigint * 16 + :client_id::bigint) + 1, 'hub:1/' || :station_id, :number_a::bigint + 1);
COMMIT;
BEGIN;
SELECT id AS parcel, revision AS revision, reservation, station AS station_id, record AS old_record FROM parcel WHERE reference = 'R' || :client_id::text || '-' || :n::text AND carrier = 'bench-post' FOR NO KEY UPDATE \gset
SELECT config, room AS old_room, in_service FROM station WHERE id = :station_id FOR NO KEY UPDATE \gset
SELECT a.number AS number_a, b.number AS number_b, a.hash AS hash_a, b.hash AS hash_b FROM writer a, writer b WHERE a.name = :station_id AND b.name = 'hub:1/' || :station_id FOR NO KEY UPDATE \gset
SELECT * FROM case_file WHERE closed_at IS NULL AND station = :station_id;
INSERT INTO entry (writer, number, kind, happened_at, body, hash, recorded_at, parcel, revision) VALUES (:station_id, :number_a::bigint + 1, 'DoorOpened', now(), :opened, :hash, now(), NULL, NULL), (:station_id, :number_a::bigint + 2, 'DoorClosed', now(), :closed, :hash, now(), NULL, NULL), (:station_id, :number_a::bigint + 3, 'Deposited', now(), :deposited, :hash, now(), :parcel::uuid, :revision::int + 1);
UPDATE writer SET number = number + 3, hash = :hash WHERE name = :station_id;
UPDATE parcel SET carrier = 'bench-post', reference = 'R' || :client_id::text || '-' || :n::text, stage = 'READY', station = :station_id, reservation = :reservation::uuid, compartment = 1 + :client_id::int, due = now() + interval '2 days', contested = false, revision = :revision::int + 1, label = NULL, record = :record WHERE id = :parcel::uuid;
UPDATE station SET room = :room WHERE id = :station_id;
INSERT INTO feed (carrier, number, writer, entry_number) VALUES ('bench-post', 3000000000 + 4 * (:n::bigint * 16 + :client_id::bigint) + 2, :station_id, :number_a::bigint + 3);
COMMIT;
BEGIN;
SELECT id AS parcel, revision AS revision, reservation, station AS station_id, record AS old_record FROM parcel WHERE reference = 'R' || :client_id::text || '-' || :n::text AND carrier = 'bench-post' FOR NO KEY UPDATE \gset
SELECT config, room AS old_room, in_service FROM station WHERE id = :station_id FOR NO KEY UPDATE \gset
SELECT a.number AS number_a, b.number AS number_b, a.hash AS hash_a, b.hash AS hash_b FROM writer a, writer b WHERE a.name = :station_id AND b.name = 'hub:1/' || :station_id FOR NO KEY UPDATE \gset
SELECT * FROM case_file WHERE closed_at IS NULL AND station = :station_id;
INSERT INTO entry (writer, number, kind, happened_at, body, hash, recorded_at, parcel, revision) VALUES (:station_id, :number_a::bigint + 1, 'DoorOpened', now(), :opened, :hash, now(), NULL, NULL), (:station_id, :number_a::bigint + 2, 'DoorClosed', now(), :closed, :hash, now(), NULL, NULL), (:station_id, :number_a::bigint + 3, 'Collected', now(), :collected, :hash, now(), :parcel::uuid, :revision::int + 1);
UPDATE writer SET number = number + 3, hash = :hash WHERE name = :station_id;
UPDATE parcel SET carrier = 'bench-post', reference = 'R' || :client_id::text || '-' || :n::text, stage = 'COLLECTED', station = :station_id, reservation = :reservation::uuid, compartment = NULL, due = NULL, contested = false, revision = :revision::int + 1, label = NULL, record = :record WHERE id = :parcel::uuid;
UPDATE station SET room = :room WHERE id = :station_id;
INSERT INTO feed (carrier, number, writer, entry_number) VALUES ('bench-post', 3000000000 + 4 * (:n::bigint * 16 + :client_id::bigint) + 3, :station_id, :number_a::bigint + 3);
COMMIT;
