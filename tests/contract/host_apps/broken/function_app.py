"""An app that cannot be indexed."""

import module_that_nobody_has  # type: ignore[import-not-found]  # noqa: F401
