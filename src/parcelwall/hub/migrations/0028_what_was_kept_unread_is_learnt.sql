-- Entries of stations that this hub's software could not read when they came: of a later version. They stand in `entry`
-- like all others, and are learnt once the software reads them.
CREATE TABLE unread (
  writer text NOT NULL,
  number bigint NOT NULL,
  station text NOT NULL,              -- whose doors it is of
  understanding text NOT NULL,        -- rules.understanding of the version that could not read it
  learnt_at timestamptz,              -- NULL: not yet
  parcel uuid,                        -- as in `entry`, whose rows are never changed
  revision int,
  PRIMARY KEY (writer, number),
  CHECK ((parcel IS NULL) = (revision IS NULL))
);
