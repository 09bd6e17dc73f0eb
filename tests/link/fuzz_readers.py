"""Coverage-guided fuzzing of all that reads what comes from outside, for as long as one likes. It wants atheris:

    .venv/bin/pip install atheris
    PYTHONPATH=src:tests .venv/bin/python tests/link/fuzz_readers.py frame -max_total_time=60

The first word is the reader: frame, qr, scan, bundle, fact or supply. tests/drivers/fuzz_codecs.py fuzzes lock boards.
"""

import sys

import atheris

with atheris.instrument_imports(include=["parcelwall.link", "parcelwall.rules", "parcelwall.drivers"]):
    from link.oracle import READERS

if __name__ == "__main__":
    reader = READERS[sys.argv.pop(1)]
    atheris.Setup(sys.argv, reader)
    atheris.Fuzz()
