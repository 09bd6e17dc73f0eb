-- Expired parcels of a station are taken out from afar by one act, which two persons agree to where it is more than one.
ALTER TABLE act DROP CONSTRAINT act_kind_check;
ALTER TABLE act ADD CONSTRAINT act_kind_check
  CHECK (kind IN ('open_door', 'draw_code', 'keep_longer', 'write_off', 'take_out'));
