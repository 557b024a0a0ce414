"""Ctrl-C, or the notebook's stop button, ends a query."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest

import idc_widgets as idc

ENDLESS = {
    "an aggregate": "SELECT sum(hash(a.range + b.range)) FROM range(5000000) a, range(5000000) b",
    "a data frame being filled": "SELECT a.range + b.range AS x FROM range(2000000) a, range(20000) b",
}


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT to one process there")
@pytest.mark.parametrize("what", ENDLESS)
def test_an_interrupt_ends_a_query(what: str, catalog: idc.Catalog) -> None:
    code = (
        "import sys\nfrom idc_widgets.catalog.database import Database\n"
        "database = Database()\nprint('go', flush=True)\n"
        "try: database.frame(sys.argv[1])\n"
        "except KeyboardInterrupt: print('interrupted', database.rows('SELECT 42'), flush=True)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code, ENDLESS[what]], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        process.stdout.readline()
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        try:
            rest, _ = process.communicate(timeout=10)
        finally:
            process.kill()
    assert rest.strip() == "interrupted [(42,)]"
    assert process.returncode == 0
