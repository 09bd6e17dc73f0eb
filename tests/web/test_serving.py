"""Where a server cannot listen, a sentence says which of host and port is wrong."""

import re
import socket

import pytest

from parcelwall.errors import Trouble
from parcelwall.web.serving import listen


@pytest.mark.parametrize(("host", "port", "told"), [
    ("127.0.0.1", 99999, "there is no port 99999"), ("127.0.0.1", -1, "there is no port -1"),
    ("nowhere.invalid", 0, "nowhere.invalid is no address of"), ("192.0.2.1", 0, "192.0.2.1 is no address"),
    ("a..b", 0, "a..b is no address of this machine"), ("::1", 0, "::1 is no address"),
])  # fmt: skip
def test_where_nobody_can_listen(host: str, port: int, told: str) -> None:
    with pytest.raises(Trouble, match=re.escape(told)):
        listen(host, port)


def test_a_port_that_is_taken() -> None:
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = busy.getsockname()[1]
        with pytest.raises(Trouble, match=rf"port {port} on 127\.0\.0\.1 is taken"):
            listen("127.0.0.1", port)
