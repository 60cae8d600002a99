"""(being built)"""

from azsim.router import Route

ROUTES: tuple[Route, ...] = ()
