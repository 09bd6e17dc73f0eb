-- Papers of a station's permit, sealed with their names: people may stand in them. The journal's newest SiteNoted names
-- each by its SHA-256.
CREATE TABLE site_paper (
  station text NOT NULL,
  digest text NOT NULL,
  name bytea NOT NULL,
  size_bytes integer NOT NULL,
  sealed bytea NOT NULL,
  came_at timestamptz NOT NULL,
  PRIMARY KEY (station, digest)
);
