"""
Who calls: managed identities, service principals and the tokens that name them.

Tokens look like Entra's (a decodable JWT with `tid`, `oid`, `aud`, `exp`) but nobody could verify
their signature, and the simulated ARM does not try: it reads the principal from a token, refuses a
wrong audience, and takes an opaque token for a principal of its own. It never checks expiry, since
a client's wall clock and the world's need not agree.
"""

import base64
import binascii
import hashlib
import json
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from azsim.http import ArmError, Request

if TYPE_CHECKING:
    from azsim.world import World

LIFETIME = timedelta(hours=24)  # What managed identities get (learn: managed identities FAQ).
_AUDIENCES = ("https://management.azure.com", "https://management.core.windows.net")


@dataclass(frozen=True, slots=True)
class Principal:
    """An identity that can get a token: `oid` is what throttles and role assignments know it by."""

    name: str
    oid: str
    client_id: str
    secret: str
    managed: bool = True


class Identity:
    """
    The directory of one tenant.

    `system` is the system-assigned identity of whoever asks the identity endpoint without naming
    one; others must have been added, as a user-assigned identity must have been assigned.
    """

    def __init__(self, world: "World", seed: int) -> None:
        self.world, self._seed = world, seed
        self._principals: dict[str, Principal] = {}
        self.header = self._derived("identity-header").replace("-", "").upper()
        self.system = self.add("system-assigned")

    def add(self, name: str, *, client_id: str = "", managed: bool = True) -> Principal:
        """Add a principal; its ids follow from the seed and its name."""
        principal = Principal(
            name,
            self._derived(f"oid:{name}"),
            client_id or self._derived(f"client:{name}"),
            self._derived(f"secret:{name}"),
            managed,
        )
        self._principals[principal.client_id.lower()] = principal
        return principal

    def find(self, text: str) -> Principal | None:
        """Return the principal with this client id or object id."""
        wanted = text.lower()
        by_oid = (p for p in self._principals.values() if p.oid == wanted)
        return self._principals.get(wanted) or next(by_oid, None)

    def everyone(self) -> list[Principal]:
        return list(self._principals.values())

    # models token-claims
    def token(self, principal: Principal, audience: str) -> tuple[str, int]:
        """Return an access token for `audience` and when it ends (seconds of the epoch)."""
        issued = int(self.world.clock.now().timestamp())
        ends = issued + int(LIFETIME.total_seconds())
        claims = {
            "aud": audience,
            "iss": f"https://sts.windows.net/{self.world.tenant}/",
            "iat": issued,
            "nbf": issued,
            "exp": ends,
            "appid": principal.client_id,
            "appidacr": "2" if principal.managed else "1",
            "idp": f"https://sts.windows.net/{self.world.tenant}/",
            "idtyp": "app",
            "oid": principal.oid,
            "sub": principal.oid,
            "tid": self.world.tenant,
            "ver": "1.0",
        }
        signed = f"{_packed({'typ': 'JWT', 'alg': 'RS256', 'kid': 'azsim'})}.{_packed(claims)}"
        signature = hashlib.sha512(f"{self._seed}{signed}".encode()).digest() * 4
        return f"{signed}.{_b64(signature)}", ends

    def principal_of(self, request: Request) -> str:
        """Return the object id in the token, or a name made from an opaque one; "" without any."""
        scheme, _, token = (request.header("authorization") or "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            return ""
        claims = _claims(token)
        return str(claims.get("oid") or hashlib.sha256(token.encode()).hexdigest()[:32])

    # models token-missing
    def authenticate(self, request: Request) -> None:
        """Raise ARM's 401 for a call without a token, or with one for somebody else."""
        if not self.principal_of(request):
            raise self._refused(
                "AuthenticationFailed",
                "Authentication failed. The 'Authorization' header is missing.",
                "The authentication failed because of missing 'Authorization' header.",
            )
        audience = audience_of(request)
        # models token-wrong-audience
        if audience and audience not in (*_AUDIENCES, request.origin):
            raise self._refused(
                "InvalidAuthenticationTokenAudience",
                "The access token has been obtained for wrong audience or resource "
                f"'{audience}'. It should exactly match with one of the allowed audiences "
                + ",".join(f"'{allowed}/'" for allowed in _AUDIENCES)
                + ".",
                "The access token is from the wrong audience.",
            )

    def _refused(self, code: str, message: str, description: str) -> ArmError:
        challenge = (
            f'Bearer authorization_uri="https://login.windows.net/{self.world.tenant}", '
            f'error="invalid_token", error_description="{description}"'
        )
        return ArmError(401, code, message, {"WWW-Authenticate": challenge})

    def _derived(self, what: str) -> str:
        digest = hashlib.sha256(f"{self._seed}:{what}".encode()).hexdigest()
        return f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-a{digest[17:20]}-{digest[20:32]}"


def audience_of(request: Request) -> str:
    """Return whom the request's token is for, "" where it does not say."""
    token = (request.header("authorization") or "").partition(" ")[2]
    return str(_claims(token).get("aud", "")).rstrip("/")


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _packed(claims: dict[str, Any]) -> str:
    return _b64(json.dumps(claims, separators=(",", ":")).encode())


def _claims(token: str) -> dict[str, Any]:
    """Read a token's claims; an opaque token has none."""
    parts = token.split(".")
    if len(parts) != 3:
        return {}
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, binascii.Error):
        return {}
    return claims if isinstance(claims, dict) else {}
