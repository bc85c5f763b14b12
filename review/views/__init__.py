"""The pages of the review section."""
