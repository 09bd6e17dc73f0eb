-- Whoever closes the case of a forgotten parcel has put it off: asked of each such parcel at every sweep.
CREATE INDEX case_forgotten ON case_file (parcel) WHERE about IN ('never_brought', 'never_taken_back');
