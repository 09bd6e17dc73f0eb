-- What a scanner reads is looked for by its index. A column of its own, so that a parcel whose label stays the same is
-- still updated in place. A label has neither quotes nor backslashes (web/bodies.py), so its text stands in the record as it is.
ALTER TABLE parcel ADD label text GENERATED ALWAYS AS (substring(record from '"label":"([^"]*)"')) STORED;
CREATE INDEX parcel_label ON parcel (label) WHERE label IS NOT NULL;
