-- Whoever agrees as a second person is asked for in what happened to the operator's people lately: few rows.
CREATE INDEX entry_staff ON entry (happened_at) WHERE kind = 'StaffChanged';
