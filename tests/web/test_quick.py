"""What is in front of the framework, where only that can go wrong; tests/acceptance/test_api.py holds both alike."""

import pytest

from parcelwall.clock import VirtualClock
from parcelwall.errors import Refusal
from parcelwall.web.quick_http import is_usual
from parcelwall.web.who import Brake, block
from station.towns import NOW


def test_a_length_is_no_novel() -> None:
    headers = {b"content-type": b"application/json", b"content-length": b"9" * 5_000}
    assert not is_usual(list(headers.items()))


def test_a_try_that_was_no_miss_is_forgiven() -> None:
    brake = Brake(VirtualClock(NOW), free=2)
    brake.miss("p")
    brake.miss("p")
    assert brake.wait_s("p") > 0
    brake.forgive("p")
    assert brake.wait_s("p") == 0
    brake.forgive("nobody")


def test_an_address_of_four_numbers_is_the_same_on_a_socket_for_both() -> None:
    assert block("::ffff:192.0.2.7") == block("192.0.2.9") == "192.0.2.0/24"
    assert block("::ffff:198.51.100.7") != block("::ffff:192.0.2.7")
    assert block("2001:db8::1") == "2001:db8::/48"


def test_a_try_counts_while_it_is_looked_at_and_a_right_one_not_after() -> None:
    brake = Brake(VirtualClock(NOW), free=1)
    with brake.one_try("p", "wrong_code"), pytest.raises(Refusal, match="too_many_tries"):
        brake.stop("p")
    with pytest.raises(Refusal, match="not_found"), brake.one_try("p", "wrong_code"):
        raise Refusal("not_found")
    with pytest.raises(Refusal, match="wrong_code"), brake.one_try("p", "wrong_code"):
        raise Refusal("wrong_code")
    with pytest.raises(Refusal, match="too_many_tries"), brake.one_try("p", "wrong_code"):
        raise AssertionError("nobody looks any more")
