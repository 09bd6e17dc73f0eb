-- Announce and reserve one parcel: the rows of hub/sitting.py and hub/desk.py for a batch of one.
\set n :n + 1
\set station random(1, :stations)
BEGIN;
SELECT id AS station_id, config, room AS old_room, in_service, lpad(to_hex(:n::bigint * 1024 + :client_id::bigint), 32, '0')::uuid AS parcel FROM station WHERE id = 'S-' || lpad(:station::text, 4, '0') FOR NO KEY UPDATE \gset
SELECT a.number AS number_a, b.number AS number_b, a.hash AS hash_a, b.hash AS hash_b FROM writer a, writer b WHERE a.name = 'hub:1/' || :station_id AND b.name = 'hub:1/slot-' || :client_id::text FOR NO KEY UPDATE \gset
INSERT INTO entry (writer, number, kind, happened_at, body, hash, recorded_at, parcel, revision) VALUES ('hub:1/' || :station_id, :number_a::bigint + 1, 'Reserved', now(), :reserved, :hash, now(), :parcel, 2), ('hub:1/slot-' || :client_id::text, :number_b::bigint + 1, 'Announced', now(), :announced, :hash, now(), :parcel, 1);
UPDATE writer SET number = number + 1, hash = :hash WHERE name IN ('hub:1/' || :station_id, 'hub:1/slot-' || :client_id::text);
INSERT INTO parcel (id, carrier, reference, stage, station, reservation, compartment, due, contested, revision, label, record) VALUES (:parcel, 'bench-post', 'R' || :client_id::text || '-' || :n::text, 'RESERVED', :station_id, :parcel, NULL, now() + interval '3 days', false, 2, NULL, :record);
UPDATE station SET room = :room WHERE id = :station_id;
INSERT INTO person (id, carrier, sealed, made_at) VALUES (:parcel, 'bench-post', :sealed, now());
INSERT INTO person_key (person, sealed) VALUES (:parcel, :key);
INSERT INTO link (hash, parcel, page) VALUES (sha256(:parcel::text::bytea), :parcel, 'track') ON CONFLICT DO NOTHING;
INSERT INTO asked (actor, key, request_hash, status, answer, at) VALUES ('bench-post', 'k' || :client_id::text || '-' || :n::text, :hash, 201, :answer, now());
INSERT INTO feed (carrier, number, writer, entry_number) VALUES ('bench-post', 1000000000 + 2 * (:n::bigint * 16 + :client_id::bigint), 'hub:1/slot-' || :client_id::text, :number_b::bigint + 1), ('bench-post', 1000000001 + 2 * (:n::bigint * 16 + :client_id::bigint), 'hub:1/' || :station_id, :number_a::bigint + 1);
COMMIT;
