"""What there is: IDC's tables and where they come from, the cache, the cube, pages.

Everything here reads; nothing here knows about cohorts' meaning, downloads or widgets.
"""

from idc_widgets.catalog.fetch import TableUnavailableError
from idc_widgets.catalog.index import Index
from idc_widgets.catalog.queries import QueryError
from idc_widgets.catalog.suggest import UnknownNameError

__all__ = ["Index", "QueryError", "TableUnavailableError", "UnknownNameError"]
