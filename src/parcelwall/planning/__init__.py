"""Forecast, admission, size mix, siting, rounds: tables in, plan out. Needs the extra `planning`; nothing else may."""

import os

# The matrices here are small: threads of BLAS would only wait for each other. Read when numpy is first imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
