-- A parcel that nobody will ever hand out has ended, and is not looked at again.
ALTER TABLE parcel DROP CONSTRAINT open_parcels_have_a_due_date;
ALTER TABLE parcel ADD CONSTRAINT open_parcels_have_a_due_date CHECK (
  due IS NOT NULL OR stage IN ('COLLECTED', 'TAKEN_BACK', 'CANCELLED', 'DIVERTED', 'WRITTEN_OFF'));
