"""Find and fetch cancer images from a notebook."""
