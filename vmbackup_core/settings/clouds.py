"""Azure's clouds: where the services of each are, and whom a token is for; stated only here."""

from dataclasses import dataclass
from enum import StrEnum

from vmbackup_core.domain.telling.mail_words import PORTALS


class Cloud(StrEnum):
    """The Azure cloud that the app runs in."""

    PUBLIC = "public"
    USGOV = "usgov"
    CHINA = "china"


@dataclass(frozen=True, slots=True)
class CloudEndpoints:
    """
    One cloud: resource manager, sign-in, storage, logs, mail and portal.

    A `…_scope` is whom a token is for. Resource Graph is asked through the resource manager; tokens
    for storage are for `https://storage.azure.com` in every cloud, as the SDKs have it. `consoles`
    is where Azure keeps what managed boot diagnostics wrote, beside `storage_suffix`: recorded for
    the public cloud, and by its pattern a guess for the others, like their `mail_scope`.
    """

    arm: str
    arm_scope: str
    authority: str
    storage_suffix: str
    consoles: str
    logs: str
    mail_scope: str
    portal: str

    @property
    def logs_scope(self) -> str:
        return f"{self.logs}/.default"


# As azure.mgmt.core.tools.get_arm_endpoints and azure.identity.AzureAuthorityHosts have them.
CLOUDS = {
    Cloud.PUBLIC: CloudEndpoints(
        arm="https://management.azure.com",
        arm_scope="https://management.azure.com/.default",
        authority="https://login.microsoftonline.com",
        storage_suffix="core.windows.net",
        consoles="storage.azure.net",
        logs="https://api.loganalytics.io",
        mail_scope="https://communication.azure.com/.default",
        portal=PORTALS["public"],
    ),
    Cloud.USGOV: CloudEndpoints(
        arm="https://management.usgovcloudapi.net",
        arm_scope="https://management.core.usgovcloudapi.net/.default",
        authority="https://login.microsoftonline.us",
        storage_suffix="core.usgovcloudapi.net",
        consoles="storage.azure.us",
        logs="https://api.loganalytics.us",
        mail_scope="https://communication.azure.us/.default",
        portal=PORTALS["usgov"],
    ),
    Cloud.CHINA: CloudEndpoints(
        arm="https://management.chinacloudapi.cn",
        arm_scope="https://management.chinacloudapi.cn/.default",
        authority="https://login.chinacloudapi.cn",
        storage_suffix="core.chinacloudapi.cn",
        consoles="storage.azure.cn",
        logs="https://api.loganalytics.azure.cn",
        mail_scope="https://communication.azure.cn/.default",
        portal=PORTALS["china"],
    ),
}
