"""The data planes of a storage account."""

from azsim.router import Route
from azsim.routes.blobs import ROUTES as BLOBS
from azsim.routes.tables import ROUTES as TABLES

ROUTES: tuple[Route, ...] = (*TABLES, *BLOBS)
