"""A credential that always has the same token: enough for any client that sends it to azsim."""

from typing import Any

from azure.core.credentials import AccessToken, AccessTokenInfo

FAR = 4102444800  # 2100-01-01


class StaticCredential:
    def __init__(self, token: str = "token-of-a-test") -> None:
        self._token = token

    def get_token(self, *scopes: str, **kwargs: Any) -> AccessToken:
        return AccessToken(self._token, FAR)

    def get_token_info(self, *scopes: str, options: Any = None) -> AccessTokenInfo:
        return AccessTokenInfo(self._token, FAR)
