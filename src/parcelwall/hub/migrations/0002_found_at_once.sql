-- What followers and refreshes ask again and again is found without reading what they have read already.
-- The block ranges of entry_tx were summarised long after they were written, so that each turn read all of them.
CREATE INDEX entry_followed ON entry (tx);
DROP INDEX entry_tx;
CREATE INDEX entry_policy ON entry (recorded_at, number) WHERE kind = 'PolicyAdopted';
