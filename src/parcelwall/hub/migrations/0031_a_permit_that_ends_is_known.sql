-- The newest SiteNoted of a station, as its JSON: where a permit has ended no room is promised, and that is asked with
-- each promise. Where the fuse is, and who noted it, stay in the journal. What was noted before this column was there is taken over.
ALTER TABLE station ADD site text;
UPDATE station SET site = (noted.body::jsonb - 'access' - 'actor')::text, changed = DEFAULT FROM (
  SELECT DISTINCT ON (body::jsonb->>'station') body::jsonb->>'station' AS id, body FROM entry
  WHERE kind = 'SiteNoted' AND writer LIKE 'hub:%' ORDER BY body::jsonb->>'station', happened_at DESC, number DESC
) AS noted WHERE noted.id = station.id;
