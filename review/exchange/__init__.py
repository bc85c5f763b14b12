"""Golden examples out to files, and in from them."""
