"""Wire shapes in and out, one module per resource provider; what is not here answers 501."""

from collections.abc import Iterator

from azsim.router import Route


def every_route() -> Iterator[Route]:
    """Yield the routes of all providers."""
    from azsim.routes import (
        backup,
        boot_blobs,
        compute,
        compute_async,
        disks,
        email,
        extensions,
        identity,
        interfaces,
        log_analytics,
        network_async,
        network_parts,
        networks,
        peerings,
        resource_graph,
        resources,
        run_commands,
        skus,
        storage,
        storage_accounts,
        subscriptions,
        tags,
        vaults,
    )

    for module in (
        identity,
        subscriptions,
        resources,
        tags,
        compute,
        compute_async,
        skus,
        boot_blobs,
        disks,
        extensions,
        run_commands,
        networks,
        peerings,
        interfaces,
        network_parts,
        network_async,
        storage_accounts,
        vaults,
        backup,
        resource_graph,
        log_analytics,
        email,
        storage,
    ):
        yield from module.ROUTES
