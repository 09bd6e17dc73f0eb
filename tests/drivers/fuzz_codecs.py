"""Coverage-guided fuzzing of the codecs, for as long as one likes. It wants atheris, which nothing else here needs:

    .venv/bin/pip install atheris
    PYTHONPATH=src:tests .venv/bin/python tests/drivers/fuzz_codecs.py -max_total_time=60

The first byte of each input chooses the driver, the second the question. The hypothesis tests beside this file know the
frames and reach far; this one needs no hints.
"""

import sys

import atheris

with atheris.instrument_imports(include=["parcelwall.drivers"]):
    from drivers.oracle import CODECS, questions, read_through

DRIVERS = sorted(CODECS)
QUESTIONS = {driver: [None, *questions(CODECS[driver])] for driver in DRIVERS}


def one_input(data: bytes) -> None:
    if len(data) < 2:
        return
    driver = DRIVERS[data[0] % len(DRIVERS)]
    read_through(driver, data[2:], QUESTIONS[driver][data[1] % len(QUESTIONS[driver])])


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
