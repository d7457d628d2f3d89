"""Where a request comes from, also behind proxies."""

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Network = IPv4Network | IPv6Network


def networks(text: str) -> tuple[Network, ...]:
    """Addresses and networks with commas between them; raises `ValueError` for anything else."""
    return tuple(ip_network(part.strip(), strict=False) for part in text.split(",") if part.strip())


def client_address(peer: str, forwarded_for: str, proxies: Sequence[Network]) -> str:
    """The nearest address that is none of our proxies: whatever stands further left, anybody can have written."""
    address = peer
    for candidate in reversed([part.strip() for part in forwarded_for.split(",") if part.strip()]):
        if not _is_among(address, proxies) or not _is_address(candidate):
            break
        address = candidate
    return address


def neighbourhood(address: str) -> str:
    """Whom we take for one: an IPv4 address, or the /64 of an IPv6 address, of which everybody has one."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address[:64]
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    return str(parsed.ipv4_mapped or ip_network((parsed, 64), strict=False))


def _is_among(address: str, proxies: Sequence[Network]) -> bool:
    return _is_address(address) and any(ip_address(address) in network for network in proxies)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
