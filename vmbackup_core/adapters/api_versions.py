"""
The api-versions that we speak, one per resource type.

Each is the newest one whose official specification and whose recorded answers the adapters were
written against; the last gate lets writes through with these and no others.
"""

VIRTUAL_MACHINES = "2024-07-01"
RUN_COMMANDS = "2024-07-01"
DISKS = "2024-03-02"
SKUS = "2021-07-01"
USAGES = "2024-07-01"
NETWORK_INTERFACES = "2024-03-01"
NETWORKS = "2024-05-01"  # And what guards them.
STORAGE_ACCOUNTS = "2023-05-01"
RESOURCES = "2021-04-01"  # The list of what lies in a resource group.
RESOURCE_GROUPS = "2022-09-01"
RESOURCE_GRAPH = "2021-03-01"
VAULTS = "2024-04-01"
EMAIL = "2023-03-31"
BACKUP = "2024-04-01"  # Everything below a vault, and the backup status of a location.
