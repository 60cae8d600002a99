"""`vmbackup.toml` and the environment, read into frozen Settings; every fault told at once."""

from vmbackup_core.settings.building import Limits, Protect
from vmbackup_core.settings.clouds import Cloud, CloudEndpoints
from vmbackup_core.settings.deployment import (
    APP_KEY,
    Deployment,
    asks_for_keys,
    read_deployment,
    system_environment,
)
from vmbackup_core.settings.faults import Fault, SettingsError
from vmbackup_core.settings.loading import Settings, load

__all__ = [
    "APP_KEY",
    "Cloud",
    "CloudEndpoints",
    "Deployment",
    "Fault",
    "Limits",
    "Protect",
    "Settings",
    "SettingsError",
    "asks_for_keys",
    "load",
    "read_deployment",
    "system_environment",
]
