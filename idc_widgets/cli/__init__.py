"""The command line: finding and fetching without a notebook."""

from idc_widgets.cli.main import main

__all__ = ["main"]
