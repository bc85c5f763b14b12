"""The console's pages about sources."""
