"""Who we are to Azure: one credential for each of the deployment's identities."""

from typing import Any


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
