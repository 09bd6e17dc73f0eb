-- A station takes no parcels until a computer has joined it: room was promised at stations that nobody could bring to.
ALTER TABLE station ALTER in_service SET DEFAULT false;
UPDATE station SET in_service = false, config = config + 1, changed = DEFAULT
WHERE NOT EXISTS (SELECT FROM station_identity WHERE station_identity.station = station.id);
