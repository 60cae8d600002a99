"""Who we are to Azure: one credential for each of the deployment's identities."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from vmbackup_core.adapters.boundary import azure_errors

if TYPE_CHECKING:
    from vmbackup_core.ports import Clock

NEVER = datetime(1, 1, 1, tzinfo=UTC)
EARLY = timedelta(minutes=5)  # Before its end a token is asked for anew.


def credential_for(client_id: str, *, authority: str, on_azure: bool) -> Any:
    """
    Return the credential of the identity with this client id, tokens cached by the SDK.

    With a client id, or where the platform offers an identity (`on_azure`), it is a managed
    identity and nothing else: falling back to whoever is logged in would hide a wrong deployment.
    Otherwise, on a laptop, it is what azure-identity finds there.
    """
    from azure.identity import DefaultAzureCredential, ManagedIdentityCredential

    if client_id:
        return ManagedIdentityCredential(client_id=client_id)
    if on_azure:
        return ManagedIdentityCredential()
    return DefaultAzureCredential(authority=authority)


@dataclass
class SignedIn:
    """
    The token of `credential` for one scope, kept until it nears its end.

    Kept here, because a credential that asks another program (az) does so at each call. Raises
    Denied where nobody is signed in.
    """

    scope: str
    credential: Any
    clock: "Clock"
    _token: str = field(default="", repr=False)
    _until: datetime = NEVER

    def token(self) -> str:
        """Return a token that holds for some minutes at least."""
        if self.clock.now() + EARLY >= self._until:
            with azure_errors("signing in"):
                got = self.credential.get_token(self.scope)
            self._token = got.token
            self._until = datetime.fromtimestamp(got.expires_on, UTC)
        return self._token
