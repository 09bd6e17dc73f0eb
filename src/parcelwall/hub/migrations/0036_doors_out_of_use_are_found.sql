-- Which compartments a station said are out of use, and when, is asked for with the numbers: few rows of a long journal.
CREATE INDEX entry_health ON entry (happened_at) WHERE kind = 'CompartmentHealth';
