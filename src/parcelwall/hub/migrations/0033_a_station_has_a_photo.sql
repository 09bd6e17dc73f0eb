-- The picture of a station for everybody. The journal's newest SiteNoted names it by its SHA-256 and says so when it is gone.
CREATE TABLE site_photo (
  station text NOT NULL,
  digest text NOT NULL,
  picture bytea NOT NULL,
  PRIMARY KEY (station, digest)
);
