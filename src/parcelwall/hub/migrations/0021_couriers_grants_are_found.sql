-- Where a courier is admitted is asked at each page of theirs, and who is admitted at all by the office: of all grants, most
-- of which are to people who collect, these are few. Announcing and what doors saw write nothing here.
CREATE INDEX entry_admitted ON entry (nullif(split_part(split_part(body, '"courier":"', 2), '"', 1), ''), happened_at)
  WHERE kind = 'Granted' AND nullif(split_part(split_part(body, '"courier":"', 2), '"', 1), '') IS NOT NULL;
CREATE INDEX entry_revoked ON entry (writer) WHERE kind = 'Revoked';
