"""Where tokens come from: the App Service identity endpoint and what of Entra ID clients ask."""

from urllib.parse import parse_qsl

from azsim.http import ArmError, Json, Response
from azsim.identity import Principal
from azsim.router import ARM, Call, Handler, Route

_ASSIGNED_BY = ("client_id", "principal_id", "object_id")


# models identity-endpoint
def _app_service_token(call: Call) -> Response:
    """Answer as App Service does (learn: overview-managed-identity, REST endpoint reference)."""
    identity, query = call.world.identity, call.request.query
    if call.request.header("x-identity-header") != identity.header:
        return Response(401, _refusal(401, "The X-IDENTITY-HEADER is missing or wrong."))
    if query.get("api-version") != "2019-08-01" or "resource" not in query:
        return Response(400, _refusal(400, "Pass api-version=2019-08-01 and resource."))
    asked = next((query[name] for name in _ASSIGNED_BY if name in query), "")
    principal = identity.find(asked) if asked else identity.system
    # models identity-unassigned
    if principal is None or not principal.managed:
        return Response(
            400,
            _refusal(
                400,
                "No User Assigned or Delegated Managed Identity found for specified "
                "ClientId/ResourceId/PrincipalId.",
            ),
        )
    token, ends = identity.token(principal, query["resource"])
    body = {
        "access_token": token,
        "expires_on": str(ends),
        "resource": query["resource"],
        "token_type": "Bearer",
        "client_id": principal.client_id,
    }
    return Response(200, body)


def _refusal(status: int, message: str) -> Json:
    return {"statusCode": status, "message": message}


# models cloud-metadata
def _metadata(call: Call) -> Response:
    """Describe this cloud as `/metadata/endpoints` of api-version 2022-09-01 does."""
    origin = call.request.origin
    body = {
        "portal": "https://portal.azure.com",
        "authentication": {
            "loginEndpoint": origin,
            "audiences": [
                "https://management.core.windows.net/",
                "https://management.azure.com/",
            ],
            "tenant": "common",
            "identityProvider": "AAD",
        },
        "media": "https://rest.media.azure.net",
        "graphAudience": "https://graph.windows.net/",
        "graph": "https://graph.windows.net/",
        "name": "azsim",
        "suffixes": {
            "storage": "core.windows.net",
            "keyVaultDns": "vault.azure.net",
            "sqlServerHostname": "database.windows.net",
            "acrLoginServer": "azurecr.io",
        },
        "batch": "https://batch.core.windows.net/",
        "resourceManager": f"{origin}/",
        "vmImageAliasDoc": f"{origin}/aliases.json",
        "activeDirectoryDataLake": "https://datalake.azure.net/",
        "sqlManagement": "https://management.core.windows.net:8443/",
        "microsoftGraphResourceId": "https://graph.microsoft.com/",
        "appInsightsResourceId": "https://api.applicationinsights.io",
        "logAnalyticsResourceId": "https://api.loganalytics.io",
    }
    return Response(200, body)


def _openid(call: Call) -> Response:
    origin, tenant = call.request.origin, call["tenant"]
    body = {
        "token_endpoint": f"{origin}/{tenant}/oauth2/v2.0/token",
        "token_endpoint_auth_methods_supported": [
            "client_secret_post",
            "private_key_jwt",
            "client_secret_basic",
        ],
        "jwks_uri": f"{origin}/{tenant}/discovery/v2.0/keys",
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "issuer": f"{origin}/{call.world.tenant}/v2.0",
        "authorization_endpoint": f"{origin}/{tenant}/oauth2/v2.0/authorize",
        "device_authorization_endpoint": f"{origin}/{tenant}/oauth2/v2.0/devicecode",
        "end_session_endpoint": f"{origin}/{tenant}/oauth2/v2.0/logout",
        "tenant_region_scope": "EU",
        "cloud_instance_name": "microsoftonline.com",
        "msgraph_host": "graph.microsoft.com",
    }
    return Response(200, body)


def _instance_discovery(call: Call) -> Response:
    origin, tenant = call.request.origin, call.world.tenant
    host = origin.partition("://")[2]
    body = {
        "tenant_discovery_endpoint": f"{origin}/{tenant}/v2.0/.well-known/openid-configuration",
        "api-version": "1.1",
        "metadata": [{"preferred_network": host, "preferred_cache": host, "aliases": [host]}],
    }
    return Response(200, body)


# models client-credentials
def _token(call: Call) -> Response:
    """Give a service principal its token for the client credentials grant."""
    form = dict(parse_qsl(call.request.body.decode()))
    if form.get("grant_type") != "client_credentials":
        return _oauth_error(
            "unsupported_grant_type",
            70003,
            f"The app requested an unsupported grant type '{form.get('grant_type', '')}'.",
        )
    principal = call.world.identity.find(form.get("client_id", ""))
    if principal is None:
        asked = form.get("client_id", "")
        return _oauth_error(
            "unauthorized_client",
            700016,
            f"Application with identifier '{asked}' was not found in the directory.",
        )
    if not _proves(principal, form):
        return _oauth_error("invalid_client", 7000215, "Invalid client secret provided.", 401)
    audience = form.get("scope", "").removesuffix("/.default")
    token, _ = call.world.identity.token(principal, audience)
    body = {"token_type": "Bearer", "expires_in": 3599, "ext_expires_in": 3599}
    return Response(200, body | {"access_token": token})


def _proves(principal: Principal, form: dict[str, str]) -> bool:
    """Accept the secret, or any signed assertion: nobody could verify one here."""
    return form.get("client_secret") == principal.secret or "client_assertion" in form


def _oauth_error(error: str, number: int, words: str, status: int = 400) -> Response:
    body = {
        "error": error,
        "error_description": f"AADSTS{number}: {words}",
        "error_codes": [number],
    }
    return Response(status, body)


def _not_arm(_call: Call, error: ArmError) -> Response:
    return Response(error.status, _refusal(error.status, error.message), error.headers)


def _route(name: str, method: str, path: str, handler: Handler) -> Route:
    return Route(f"identity.{name}", method, path, handler, ARM, errors=_not_arm)


ROUTES: tuple[Route, ...] = (
    _route("app_service_token", "GET", "/msi/token", _app_service_token),
    _route("metadata", "GET", "/metadata/endpoints", _metadata),
    _route("openid_v2", "GET", "/{tenant}/v2.0/.well-known/openid-configuration", _openid),
    _route("openid", "GET", "/{tenant}/.well-known/openid-configuration", _openid),
    _route("instance_discovery", "GET", "/{tenant}/discovery/instance", _instance_discovery),
    _route("token", "POST", "/{tenant}/oauth2/v2.0/token", _token),
)
