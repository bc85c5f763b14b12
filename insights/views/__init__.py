"""The console's insight pages."""
