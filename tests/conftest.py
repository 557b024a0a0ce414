"""What all tests share: the real index as plain SQL, and one catalogue with its cache."""

from __future__ import annotations

import http.server
import json
import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from idc_widgets import Catalog
from idc_widgets.catalog import bundled

HERE = Path(__file__).parent

# A shell that starts us in the background lets us, and all whom we start, ignore Ctrl-C, which some tests press.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Years of age, written apart from the package's own SQL.
_YEARS = (
    "TRY_CAST(rtrim(upper(a), 'YMWD') AS DOUBLE) "
    "/ CASE right(upper(a), 1) WHEN 'M' THEN 12 WHEN 'W' THEN 52.1775 WHEN 'D' THEN 365.25 ELSE 1 END"
)


@pytest.fixture(scope="session", autouse=True)
def _own_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep caches and download journals of the tests out of the user's folders."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IDC_WIDGETS_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("IDC_WIDGETS_STATE_DIR", str(tmp_path_factory.mktemp("state")))
        for name in ("AWS_ENDPOINT", "GCS_ENDPOINT", "RELEASE_URL", "METADATA_ENDPOINT"):
            patch.delenv(f"IDC_WIDGETS_{name}", raising=False)
        yield


@pytest.fixture(scope="session")
def plain() -> duckdb.DuckDBPyConnection:
    """Plain DuckDB over the published parquet, independent of the package: `idx`, `collections` and `age(text)`."""
    con = duckdb.connect()
    con.execute(f"CREATE TABLE idx AS FROM '{bundled.table('index').path}'")
    con.execute(f"CREATE TABLE collections AS FROM '{bundled.table('collections_index').path}'")
    con.execute(f"CREATE MACRO age(a) AS CASE WHEN {_YEARS} <= 120 THEN {_YEARS} END")
    return con


@pytest.fixture(scope="session")
def catalog(_own_folders: None) -> Catalog:
    """A catalogue whose cache stands."""
    found = Catalog()
    assert found.index.database.wait_for_cache(280), found.index.database.note
    return found


@pytest.fixture(scope="session")
def bare_catalog(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    """A catalogue that has to do without a cache, since its folder cannot be made."""
    blocked = tmp_path_factory.mktemp("blocked") / "file"
    blocked.write_text("not a folder")
    found = Catalog(cache_dir=blocked / "cache")
    found.index.database.wait_for_cache(60)
    return found


@pytest.fixture
def fresh(catalog: Catalog, tmp_path: Path) -> Callable[[], Catalog]:
    """Makes catalogues with one folder, in which the index's cache stands and no table yet."""
    os.link(catalog.index.database.cache_path, tmp_path / catalog.index.database.cache_path.name)
    return lambda: Catalog(cache_dir=tmp_path)


def condition_cases() -> list[dict[str, Any]]:
    """The example conditions that Python, plain SQL and the browser's arithmetic must agree on."""
    cases: list[dict[str, Any]] = json.loads((HERE / "conditions.json").read_text("utf-8"))["cases"]
    return cases


class _Html(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = b"<html><body>Please log in to the hotel's network.</body></html>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def html() -> Iterator[str]:
    """A server that answers a page to everything, as a hotel's network does."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Html)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
