"""Where a request comes from, believed only as far as it can be."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest
from rest_framework.request import Request

USER_AGENT_LENGTH = 255
# One household or office; an attacker has all of a /64 for the asking.
IPV6_NEIGHBOURHOOD = 64


@dataclass(frozen=True)
class Client:
    """The address and the device a person signs in from."""

    ip: str | None
    user_agent: str

    @property
    def neighbourhood(self) -> str:
        """Return what attempts are counted against: the address, or an IPv6 network."""
        if self.ip and ":" in self.ip:
            network = ipaddress.ip_network((self.ip, IPV6_NEIGHBOURHOOD), strict=False)
            return str(network.network_address)
        return self.ip or "unknown"


def client_of(request: Request | HttpRequest) -> Client:
    """Return the client of a request; X-Forwarded-For counts only behind our own proxies."""
    agent = request.META.get("HTTP_USER_AGENT", "").replace("\x00", "")
    return Client(ip=_address(request.META), user_agent=agent[:USER_AGENT_LENGTH])


def _address(meta: dict[str, str]) -> str | None:
    peer = _valid(meta.get("REMOTE_ADDR", ""))
    hops = settings.TRUSTED_PROXY_COUNT
    if not hops:
        return peer
    forwarded = meta.get("HTTP_X_FORWARDED_FOR", "").split(",")
    # Each trusted proxy appended who it spoke to; what is left of them anyone can write. The
    # outermost must drop header names with an underscore, which WSGI takes for a hyphen.
    return _valid(forwarded[-hops]) or peer if len(forwarded) >= hops else peer


def _valid(text: str) -> str | None:
    """Return an address in its one plain form, None for what is none.

    A socket for both families reports IPv4 as `::ffff:192.0.2.1`, which would make all of
    IPv4 one neighbourhood; `%eth0` after an address is the machine's own business.
    """
    try:
        address = ipaddress.ip_address(text.strip().partition("%")[0])
    except ValueError:
        return None
    return str(getattr(address, "ipv4_mapped", None) or address)
