"""The rules of Azure Backup for VMs: policies, items, jobs, recovery points, restores."""
