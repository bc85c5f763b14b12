"""The embedded analyst: works with no key and no network, and always gives the same answer."""
