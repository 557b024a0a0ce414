"""What an address names: a bucket's object, a viewer's page, a DICOMweb resource."""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection
from urllib.parse import parse_qsl, unquote, urlsplit

from idc_widgets.cohort.identifiers.result import Row
from idc_widgets.cohort.identifiers.spelling import (
    COLLECTION,
    DOI,
    FILE,
    INSTANCE,
    LEVEL,
    OPEN,
    PATIENT,
    RESULT,
    SERIES,
    STUDY,
    UID_SHAPE,
    UUID,
    UUID_SHAPE,
    bare_doi,
    field_of,
    key_of,
)

# A comma goes on only before a further UID of a viewer's list.
FIND = re.compile(
    r"\b(?:s3|gs|https?)://(?:[^\s\"'`<>,;|(){}\[\]]|(?<=[0-9]),(?=[012]\.[0-9]+\.[0-9]))+", re.IGNORECASE
)

_HOSTED = re.compile(r"(?P<bucket>[a-z0-9.-]+?)\.(?:s3(?:[.-][a-z0-9-]+)*\.amazonaws\.com|storage\.googleapis\.com)")
_PATHED = re.compile(r"s3(?:[.-][a-z0-9-]+)*\.amazonaws\.com|storage\.(?:cloud\.)?google(?:apis)?\.com")
_CONSOLE = re.compile(r"/(?:storage/browser|s3/(?:buckets|object)|storage/browser/_details)/(?:_details/)?(?P<rest>.*)")

_LISTING = re.compile(r"/(?:download/)?storage/v1/b/([^/]+)/o/?")

_LISTS = {
    "studyinstanceuids": STUDY, "studyinstanceuid": STUDY, "studyuid": STUDY, "seriesinstanceuids": SERIES,
    "seriesinstanceuid": SERIES, "initialseriesinstanceuid": SERIES, "seriesuid": SERIES, "objectuid": INSTANCE,
    "sopinstanceuid": INSTANCE, "initialsopinstanceuid": "",
}  # fmt: skip
_FILTERS = frozenset(
    ("modality", "modalitiesinstudy", "seriesnumber", "seriesdescription", "bodypartexamined", "instancenumber",
     "seriesdate", "limit", "offset", "00080060", "00200011", "0008103e", "00180015", "00200013")
)  # fmt: skip
#: What restricts nothing.
_IDLE = re.compile(
    r"hangingprotocolid|token|(?:access|id)token|includefield|accept|fuzzymatching|datasources?|configurl|config|lang|"
    r"theme|utm\w*|ref|source|key|state|multimonitor|initialsopinstanceuid|callback|redirect\w*|session\w*|usp|hl"
)
_STEPS = re.compile(r"series|instances|metadata|rendered|thumbnail|studies|index\.html?|viewer|v3|slim", re.IGNORECASE)
_CATALOGUES = re.compile(r"(?:^|\.)(?:cancer\.gov|cancerimagingarchive\.net)(?::\d+)?$")
_NAMED = {"collection": COLLECTION, "collections": COLLECTION, "analysis-result": RESULT, "analysis-results": RESULT}
_PATH = {"studies": STUDY, "study": STUDY, "series": SERIES, "instances": INSTANCE}


def read_address(text: str, buckets: Collection[str], own: Collection[str] = ()) -> list[Row]:
    """Return what an address names, a row each; none if it is of no kind that names images.

    Parameters
    ----------
    buckets
        The buckets that are IDC's.
    own
        Hosts of endpoints that stand in for a cloud's, with their port.
    """
    if (doi := bare_doi(text)) != text:
        return [Row(((DOI, doi),))]
    try:
        parts = urlsplit(text.rstrip(".,;"))
        host, scheme = parts.netloc.lower(), parts.scheme.lower()
    except ValueError:
        return []
    path = unquote(parts.path)
    if "?" in path and not parts.query:  # quoted as a whole
        parts = parts._replace(query=path.partition("?")[2])
        path = path.partition("?")[0]
    prefix = dict(parse_qsl(parts.query)).get("prefix", "")
    if scheme in ("s3", "gs"):
        return _object(text, parts.netloc, path, buckets)
    if found := _CONSOLE.search(path):
        bucket, _, rest = found["rest"].partition("/")
        return _object(text, bucket, "/" + (rest if UUID_SHAPE.match(rest) else prefix or rest), buckets)
    if found := _HOSTED.fullmatch(host):
        return _object(text, found["bucket"], path.strip("/") or prefix, buckets)
    if _PATHED.fullmatch(host) or host in own:
        bucket, _, rest = path.lstrip("/").partition("/")
        if listing := _LISTING.fullmatch(path):
            bucket, rest = listing[1], ""
        return _object(text, bucket, rest or prefix, buckets)
    return _page(text, host, parts.query, parts.fragment, path, buckets)


def _object(text: str, bucket: str, path: str, buckets: Collection[str]) -> list[Row]:
    folders = [p for p in path.split("/") if p]
    if not folders:
        return [Row(((UUID, text),), problem="a bucket, and no series in it")] if bucket in buckets else []
    first = re.sub(r"[;*].*", "", folders[0])
    shown = first if UUID_SHAPE.fullmatch(first) else text
    if bucket not in buckets:
        if shown == text and not text.lower().startswith(("s3:", "gs:")):
            return []
        return [Row(((UUID, shown),), problem=f'"{bucket}" is no bucket of IDC')]
    if UUID_SHAPE.fullmatch(first.removesuffix(".dcm")) and first.endswith(".dcm"):
        return [Row(((FILE, text),), problem="a file and no series: the address of a series has its uuid as a folder")]
    if not UUID_SHAPE.fullmatch(first):
        return [Row(((UUID, text),), problem="no address of a series: these are s3://bucket/crdc_series_uuid/*")]
    last = folders[1] if len(folders) > 1 else "*"
    if last in ("*", "*.dcm", "**"):
        return [Row(((UUID, first.lower()),))]
    name = last.removesuffix(".dcm").lower()
    return [Row(((UUID, first.lower()), (FILE, name if UUID_SHAPE.fullmatch(name) else last)))]


def _page(text: str, host: str, query: str, fragment: str, path: str, buckets: Collection[str]) -> list[Row]:
    if text.endswith(("...", "\u2026")):
        return [Row(((STUDY, text),), problem="the address is cut off")]
    found: dict[str, list[str]] = {}
    parts: list[str] = []  # what may ask for a part
    ours = bool(_CATALOGUES.search(host))
    for name, value in [*parse_qsl(query, True), *parse_qsl(fragment.partition("?")[2], True)]:
        if value.lower().startswith(("s3://", "gs://")) or value.startswith("["):  # VolView: urls=[s3://…,…]
            return [r for a in FIND.findall(value) for r in read_address(a, buckets)]
        if value.lower().startswith(("http://", "https://")):  # a page that leads to another
            return read_address(value, buckets)
        if key_of(name) in _FILTERS:
            return _of_a_part(text, name)
        field = _LISTS.get(key_of(name), field_of(name))
        if field in (STUDY, SERIES, INSTANCE) and not value.strip():
            return [Row(((STUDY, text),), problem=f"it names no {name}")]
        if field in (STUDY, SERIES, INSTANCE):
            found.setdefault(field, []).extend(v for v in re.split(r"[,\s\\]+", value) if v)
        elif (field == PATIENT and "patientid" in key_of(name)) or (field == COLLECTION and ours):
            found.setdefault(field, []).extend(v for v in value.split(",") if v)
        elif not _IDLE.fullmatch(key_of(name)):
            parts.append(name)
    steps = [s for s in (path + "/" + fragment.partition("?")[0]).split("/") if s]
    for step, value in itertools.pairwise(steps):
        if (field := _PATH.get(step.lower())) and UID_SHAPE.fullmatch(value):
            found.setdefault(field, []).append(value)
            parts += [s for s in steps[steps.index(value) + 1 :] if field == STUDY and not _of_the_path(s)][:1]
        elif ours and (field := _NAMED.get(step.lower())):
            found.setdefault(field, []).append(value)
    studies = list(dict.fromkeys(found.get(STUDY, ())))
    if not found:  # as older viewers have it: the UID alone
        named = [Row(((OPEN, v),)) for v in steps if UID_SHAPE.fullmatch(v) and v.count(".") > 4][-1:]
        below = itertools.takewhile(lambda s: not UID_SHAPE.fullmatch(s), reversed(steps))
        parts += [s for s in below if not _of_the_path(s)]
        return _of_a_part(text, parts[0]) if named and parts else named
    finest = max(found, key=lambda f: LEVEL[f])
    if LEVEL[finest] <= LEVEL[STUDY] and parts:
        return _of_a_part(text, parts[0])
    beside = tuple((STUDY, s) for s in studies) if len(studies) == 1 and finest != STUDY else ()
    if finest == INSTANCE and len(set(found.get(SERIES, ()))) == 1:
        beside += ((SERIES, found[SERIES][0]),)
    coarser = tuple((f, v) for f in (COLLECTION, PATIENT) if f != finest for v in found.get(f, ()))
    return [Row((*coarser, *beside, (finest, v)), any_of=True) for v in dict.fromkeys(found[finest])]


def _of_the_path(step: str) -> bool:
    return bool(_STEPS.fullmatch(step) or UID_SHAPE.fullmatch(step))


def _of_a_part(text: str, name: str) -> list[Row]:
    return [Row(((STUDY, text),), problem=f"it asks for a part, by {name}, which is not read")]
