"""Figures against the real alternatives, measured side by side in one run; `make bench` prints them."""
