-- What was done about a case that stays open: few, and asked for with each look at what needs somebody.
CREATE INDEX entry_case_noted ON entry (happened_at) WHERE kind = 'CaseNoted';
