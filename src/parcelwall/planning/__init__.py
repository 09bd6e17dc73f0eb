"""Forecast, admission, size mix, siting, rounds: tables in, plan out. Needs the extra `planning`; nothing else may."""
