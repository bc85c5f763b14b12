"""The REST surface of tracked conversations and their feedback, as its published clients have it."""
