"""For how long, and while what, the door of what was just put in may be opened once more."""

from datetime import timedelta
from uuid import UUID

from msgspec.structs import replace

from parcelwall.rules.life import Parcel, Stage
from parcelwall.rules.policy import Policy
from parcelwall.rules.putting_right import in_time, still_lies
from station.towns import NOW


def after(shut_s: float, first_s: float = 0, courier: bool = True, **policy: int) -> bool:
    """So many seconds after it was shut, and after it was opened for the first time beside."""
    shut_at = NOW - timedelta(seconds=shut_s)
    return in_time(shut_at - timedelta(seconds=first_s), shut_at, NOW, courier, Policy(**policy))


def test_a_courier_has_a_minute_and_a_sender_twenty_seconds() -> None:
    assert (after(60), after(60.1)) == (True, False)
    assert (after(20, courier=False), after(20.1, courier=False)) == (True, False)


def test_all_of_it_is_within_the_policys_seconds() -> None:
    assert (after(60, 120), after(60, 121)) == (True, False)
    assert (after(1, 0, reopen_s=1), after(1, 1, reopen_s=1)) == (True, False)


def test_a_clock_that_was_put_back_gives_no_time() -> None:
    assert not after(-1)


def test_it_lies_where_it_was_put_under_the_promise_it_was_put_there_for() -> None:
    id_, promise, another = (UUID(int=number) for number in (1, 2, 3))
    inside = Parcel(id=id_, stage=Stage.READY, reservation=promise, compartment=14)
    assert still_lies(inside, promise, 14)
    assert not still_lies(inside, promise, 15)
    assert not still_lies(inside, another, 14)
    assert not still_lies(replace(inside, blocked=True), promise, 14)
    assert not still_lies(replace(inside, stage=Stage.COLLECTED), promise, 14)
    assert not still_lies(None, promise, 14)
