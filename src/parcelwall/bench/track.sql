-- What anybody may know of a number: the query of hub/reading.py.
\set place random(0, :parcels - 1)
SELECT record FROM parcel WHERE reference = ANY(ARRAY['L' || lpad(:place::text, 7, '0')]) LIMIT 2;
