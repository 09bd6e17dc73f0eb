-- Whether a grant still holds is asked each time its page is shown.
CREATE INDEX entry_grants ON entry (writer) WHERE kind IN ('Granted', 'Revoked');
