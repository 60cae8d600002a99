"""Use cases: observe, plan, apply, record. They know ports and the domain, and no cloud."""
