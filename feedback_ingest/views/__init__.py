"""The console's pages of feedback."""
