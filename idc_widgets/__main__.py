"""`python -m idc_widgets` is `idc-widgets`."""

import sys

from idc_widgets.cli import main

if __name__ == "__main__":
    sys.exit(main())
