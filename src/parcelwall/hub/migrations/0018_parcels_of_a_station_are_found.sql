-- What is promised at a station or lies there is asked for at every notice, label, promise and page of it; ended parcels
-- stay in the table for ever and are not searched. Who has not ended has a due date (open_parcels_have_a_due_date), and
-- that date is indexed already: no row is written at another place because of this.
CREATE INDEX parcel_here ON parcel (station) WHERE due IS NOT NULL;
