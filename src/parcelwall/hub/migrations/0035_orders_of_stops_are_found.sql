-- The order of stops of a courier's day is asked for at each page of theirs: a few rows a day, found by whose they are.
CREATE INDEX entry_round ON entry (nullif(split_part(split_part(body, '"courier":"', 2), '"', 1), ''), happened_at)
  WHERE kind IN ('RoundOrdered', 'StopPassed');
