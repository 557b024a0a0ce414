"""What users hold: the catalogue, a cohort, and what is done with them. Each method hands to a room below."""

from idc_widgets.api.addresses import dicomweb_url, viewer_url
from idc_widgets.api.catalog import Catalog
from idc_widgets.api.cohort import Cohort
from idc_widgets.api.files import files
from idc_widgets.api.verify import verify

__all__ = ["Catalog", "Cohort", "dicomweb_url", "files", "verify", "viewer_url"]
