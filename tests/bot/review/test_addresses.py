"""Where a request comes from, also behind proxies, and who counts as one."""

import pytest

from bot.review.addresses import client_address, neighbourhood, networks

PROXIES = networks("127.0.0.1, 10.0.0.0/8,::1")


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("203.0.113.1", "", "203.0.113.1"),
        ("203.0.113.1", "198.51.100.7", "203.0.113.1"),  # no proxy of ours: believed nothing
        ("127.0.0.1", "198.51.100.7", "198.51.100.7"),
        ("127.0.0.1", "1.2.3.4, 198.51.100.7", "198.51.100.7"),  # the left one was written by anybody
        ("127.0.0.1", "198.51.100.7, 10.1.1.1", "198.51.100.7"),
        ("127.0.0.1", "10.2.2.2, 10.1.1.1", "10.2.2.2"),
        ("127.0.0.1", "unknown", "127.0.0.1"),
        ("127.0.0.1", "198.51.100.7, <script>", "127.0.0.1"),
        ("::1", "2001:db8::1", "2001:db8::1"),
        ("", "198.51.100.7", ""),
    ],
)
def test_the_nearest_address_that_is_no_proxy_of_ours_counts(peer, forwarded, address):
    assert client_address(peer, forwarded, PROXIES) == address


@pytest.mark.parametrize(
    ("address", "one"),
    [
        ("198.51.100.7", "198.51.100.7"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("not an address", "not an address"),
        ("x" * 500, "x" * 64),
    ],
)
def test_one_customer_is_one_neighbourhood(address, one):
    assert neighbourhood(address) == one


def test_what_is_no_network_is_refused():
    with pytest.raises(ValueError, match=r"'example\.com' does not appear"):
        networks("127.0.0.1,example.com")
