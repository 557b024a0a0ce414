"""The notebook's face: thin anywidget classes, one per view, and what they say to the browser."""

from idc_widgets.widgets.downloads import DownloadPanel
from idc_widgets.widgets.explorer import Explorer, FilterPanel, ResultTable

__all__ = ["DownloadPanel", "Explorer", "FilterPanel", "ResultTable"]
