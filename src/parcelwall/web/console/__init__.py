"""The operator's console: who may come in, all stations at a glance, one station, parcels, people, figures."""
