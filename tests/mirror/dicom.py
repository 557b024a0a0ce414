"""Write the DICOM header of an instance: Part 10, Explicit VR Little Endian, elements in the order of tags.

Pixels are always stored plain, so the transfer syntax is not the index's, where that one is compressed.
"""

from __future__ import annotations

import struct
import uuid as uuids
from collections.abc import Sequence
from functools import lru_cache

from .pixels import Image, image_of
from .series import NAMESPACE, Series

EXPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2.1"
IMPLEMENTATION = "2.25.147730812837216413206421330187351427"
LONG_FORM = {"OB", "OD", "OF", "OL", "OW", "SQ", "UC", "UN", "UR", "UT"}

# tag -> (value representation, column of the index)
FROM_INDEX = {
    0x00080060: ("CS", "Modality"),
    0x00080070: ("LO", "Manufacturer"),
    0x00081030: ("LO", "StudyDescription"),
    0x0008103E: ("LO", "SeriesDescription"),
    0x00081090: ("LO", "ManufacturerModelName"),
    0x00100020: ("LO", "PatientID"),
    0x00100010: ("PN", "PatientID"),
    0x00100040: ("CS", "PatientSex"),
    0x00101010: ("AS", "PatientAge"),
    0x00180015: ("CS", "BodyPartExamined"),
    0x0020000D: ("UI", "StudyInstanceUID"),
    0x0020000E: ("UI", "SeriesInstanceUID"),
    0x00200011: ("IS", "SeriesNumber"),
}
# Empty where the index says nothing: the standard wants them there (type 2).
ALWAYS = {0x00080070, 0x00100010, 0x00100020, 0x00100040, 0x00200011}

Elements = dict[int, bytes]


def element(tag: int, vr: str, value: str | bytes | int | Sequence[float] | Sequence[str]) -> bytes:
    """Return one data element, padded to even length as its value representation wants."""
    if isinstance(value, int):
        raw = struct.pack({"US": "<H", "UL": "<I", "SS": "<h", "AT": "<I"}[vr], value)
    elif isinstance(value, bytes):
        raw = value
    else:
        if not isinstance(value, str):
            value = "\\".join(part if isinstance(part, str) else f"{part:.10g}" for part in value)
        raw = value.encode()
    if len(raw) % 2:
        raw += b"\0" if vr in {"UI", "OB", "UN"} else b" "
    return element_head(tag, vr, len(raw)) + raw


def element_head(tag: int, vr: str, length: int) -> bytes:
    """Return tag, value representation and length of an element whose value follows."""
    if vr in LONG_FORM:
        return struct.pack("<HH2sHI", tag >> 16, tag & 0xFFFF, vr.encode(), 0, length)
    return struct.pack("<HH2sH", tag >> 16, tag & 0xFFFF, vr.encode(), length)


def sequence(tag: int, *items: Elements) -> bytes:
    """Return a sequence element with the items given, all lengths explicit."""
    body = b"".join(struct.pack("<HHI", 0xFFFE, 0xE000, len(raw)) + raw for raw in map(join, items))
    return element(tag, "SQ", body)


def join(elements: Elements) -> bytes:
    """Return the elements one after the other in the order of tags."""
    return b"".join(elements[tag] for tag in sorted(elements))


def code(tag: int, value: str, scheme: str, meaning: str) -> bytes:
    """Return a coded concept."""
    return sequence(
        tag,
        {
            0x00080100: element(0x00080100, "SH", value),
            0x00080102: element(0x00080102, "SH", scheme),
            0x00080104: element(0x00080104, "LO", meaning),
        },
    )


def uid(*parts: str) -> str:
    """Return the UID that always belongs to these words."""
    return f"2.25.{uuids.uuid5(NAMESPACE, '/'.join(parts)).int}"


def put(elements: Elements, tag: int, vr: str, value: str | bytes | int | Sequence[float] | Sequence[str]) -> None:
    """Add an element."""
    elements[tag] = element(tag, vr, value)


def header(series: Series, instance: int) -> bytes:
    """Return everything before the pixels (or before the padding): preamble, file meta and data set."""
    image = image_of(series)
    sop_instance = f"2.25.{series.instance_uuid(instance).int}"
    own: Elements = {}
    put(own, 0x00080018, "UI", sop_instance)
    put(own, 0x00200013, "IS", str(instance + 1))
    if image:
        _geometry(own, series, image, instance)
    elements = {**_common(series), **own}
    return _file_meta(series.text("SOPClassUID"), sop_instance) + join(elements)


def _file_meta(sop_class: str, sop_instance: str) -> bytes:
    rest = (
        element(0x00020001, "OB", b"\0\1")
        + element(0x00020002, "UI", sop_class)
        + element(0x00020003, "UI", sop_instance)
        + element(0x00020010, "UI", EXPLICIT_LITTLE_ENDIAN)
        + element(0x00020012, "UI", IMPLEMENTATION)
    )
    return bytes(128) + b"DICM" + element(0x00020000, "UL", len(rest)) + rest


@lru_cache(maxsize=64)
def _common(series: Series) -> Elements:
    """Return what all instances of a series share. Do not change the result."""
    elements: Elements = {}
    put(elements, 0x00080005, "CS", "ISO_IR 192")
    put(elements, 0x00080016, "UI", series.text("SOPClassUID"))
    put(elements, 0x00080020, "DA", series.text("StudyDate").replace("-", ""))
    if series.text("SeriesDate"):
        put(elements, 0x00080021, "DA", series.text("SeriesDate").replace("-", ""))
    put(elements, 0x00080030, "TM", "")
    put(elements, 0x00080050, "SH", "")
    put(elements, 0x00080090, "PN", "")
    put(elements, 0x00100030, "DA", "")
    put(elements, 0x00200010, "SH", "")
    for tag, (vr, column) in FROM_INDEX.items():
        value = series.text(column)
        if value or tag in ALWAYS:
            put(elements, tag, vr, value)
    image = image_of(series)
    if image:
        _image_pixel(elements, image)
        _image_kind(elements, series, image)
    elif series.text("Modality") == "SR":
        _report(elements)
    return elements


def _image_pixel(elements: Elements, image: Image) -> None:
    put(elements, 0x00280002, "US", image.samples)
    put(elements, 0x00280004, "CS", "RGB" if image.samples == 3 else "MONOCHROME2")
    if image.samples == 3:
        put(elements, 0x00280006, "US", 0)
    if image.multiframe:
        put(elements, 0x00280008, "IS", str(image.frames))
    put(elements, 0x00280010, "US", image.rows)
    put(elements, 0x00280011, "US", image.columns)
    put(elements, 0x00280100, "US", image.allocated)
    put(elements, 0x00280101, "US", image.stored)
    put(elements, 0x00280102, "US", image.stored - 1)
    put(elements, 0x00280103, "US", 0)
    if image.window and image.samples == 1:
        centre, width = image.window
        put(elements, 0x00281050, "DS", [centre])
        put(elements, 0x00281051, "DS", [width])
        put(elements, 0x00281052, "DS", [image.intercept])
        put(elements, 0x00281053, "DS", [1])


def _image_kind(elements: Elements, series: Series, image: Image) -> None:
    """Add what the kind of image asks for."""
    spacing = [image.field_of_view / image.rows] * 2
    put(elements, 0x00080008, "CS", ["DERIVED" if image.kind in {"mask", "labels"} else "ORIGINAL", "PRIMARY"])
    if image.kind in {"ct", "mr", "pt", "slide", "mask", "labels"}:
        put(elements, 0x00200052, "UI", uid("frame of reference", series.text("StudyInstanceUID")))
        put(elements, 0x00201040, "LO", "")
    if image.kind in {"ct", "mr", "pt"}:
        put(elements, 0x00180050, "DS", [image.slice_spacing])
        put(elements, 0x00185100, "CS", "HFS")
        put(elements, 0x00200037, "DS", [1, 0, 0, 0, 1, 0])
        put(elements, 0x00280030, "DS", spacing)
    if image.kind == "ct":
        put(elements, 0x00080008, "CS", ["ORIGINAL", "PRIMARY", "AXIAL"])
        put(elements, 0x00180060, "DS", [120])
        put(elements, 0x00281054, "LO", "HU")
    elif image.kind == "mr":
        put(elements, 0x00180020, "CS", "SE")
        put(elements, 0x00180023, "CS", "2D")
        put(elements, 0x00180080, "DS", [500])
        put(elements, 0x00180081, "DS", [10])
    elif image.kind == "pt":
        put(elements, 0x00541001, "CS", "BQML")
        put(elements, 0x00541102, "CS", "START")
    elif image.kind == "slide":
        _slide(elements, image)
    elif image.kind in {"mask", "labels"}:
        _segmentation(elements, series, image, spacing)
    elif image.multiframe:
        put(elements, 0x00181063, "DS", [40])
        put(elements, 0x00280009, "AT", struct.pack("<HH", 0x0018, 0x1063))


def _slide(elements: Elements, image: Image) -> None:
    put(elements, 0x00080008, "CS", ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"])
    dimensions = {0x00209164: element(0x00209164, "UI", uid("dimensions"))}
    elements[0x00209221] = sequence(0x00209221, dimensions)
    put(elements, 0x00209311, "CS", "TILED_FULL")
    put(elements, 0x00282110, "CS", "00")
    put(elements, 0x00400512, "LO", "slide")
    width = struct.pack("<f", 0.0005 * image.columns * image.grid)
    put(elements, 0x00480001, "FL", width)
    put(elements, 0x00480002, "FL", width)
    put(elements, 0x00480003, "FL", struct.pack("<f", 1))
    put(elements, 0x00480006, "UL", image.columns * image.grid)
    put(elements, 0x00480007, "UL", image.rows * image.grid)
    put(elements, 0x00480010, "CS", "NO")
    put(elements, 0x00480011, "CS", "AUTO")
    put(elements, 0x00480012, "CS", "NO")
    put(elements, 0x00480102, "DS", [0, -1, 0, -1, 0, 0])
    put(elements, 0x00480302, "UL", 1)
    put(elements, 0x00480303, "UL", 1)
    origin = {
        0x0040072A: element(0x0040072A, "DS", [20]),
        0x0040073A: element(0x0040073A, "DS", [40]),
    }
    elements[0x00480008] = sequence(0x00480008, origin)
    light = {
        0x00480106: element(0x00480106, "SH", "1"),
        0x00480107: element(0x00480107, "ST", "brightfield"),
    }
    elements[0x00480105] = sequence(0x00480105, light)
    measures = {
        0x00180050: element(0x00180050, "DS", [0.001]),
        0x00280030: element(0x00280030, "DS", [0.0005, 0.0005]),
    }
    elements[0x52009229] = sequence(0x52009229, {0x00289110: sequence(0x00289110, measures)})


def _segmentation(elements: Elements, series: Series, image: Image, spacing: list[float]) -> None:
    put(elements, 0x00620001, "CS", "LABELMAP" if image.kind == "labels" else "BINARY")
    put(elements, 0x00282110, "CS", "00")
    put(elements, 0x00700080, "CS", "SEGMENTATION")
    put(elements, 0x00700081, "LO", "")
    put(elements, 0x00700084, "PN", "")
    elements[0x00209221] = sequence(0x00209221, {0x00209164: element(0x00209164, "UI", uid("dimensions", series.uuid))})
    elements[0x00209222] = sequence(
        0x00209222,
        {
            0x00209164: element(0x00209164, "UI", uid("dimensions", series.uuid)),
            0x00209165: element(0x00209165, "AT", struct.pack("<HH", 0x0020, 0x0032)),
            0x00209167: element(0x00209167, "AT", struct.pack("<HH", 0x0020, 0x9113)),
        },
    )
    elements[0x00620002] = sequence(
        0x00620002,
        {
            0x00620003: code(0x00620003, "123037004", "SCT", "Anatomical Structure"),
            0x00620004: element(0x00620004, "US", 1),
            0x00620005: element(0x00620005, "LO", "Ellipsoid"),
            0x00620008: element(0x00620008, "CS", "AUTOMATIC"),
            0x00620009: element(0x00620009, "LO", "phantom"),
            0x0062000F: code(0x0062000F, "10200004", "SCT", "Liver"),
        },
    )
    measures = {
        0x00180050: element(0x00180050, "DS", [image.slice_spacing]),
        0x00280030: element(0x00280030, "DS", spacing),
    }
    orientation = {0x00200037: element(0x00200037, "DS", [1, 0, 0, 0, 1, 0])}
    elements[0x52009229] = sequence(
        0x52009229,
        {
            0x00209116: sequence(0x00209116, orientation),
            0x00289110: sequence(0x00289110, measures),
            0x0062000A: sequence(0x0062000A, {0x0062000B: element(0x0062000B, "US", 1)}),
        },
    )
    frames = []
    for frame in range(image.frames):
        position = {0x00200032: element(0x00200032, "DS", _corner(image, frame * image.slice_spacing))}
        index = {0x00209157: element(0x00209157, "UL", frame + 1)}
        frames.append({0x00209111: sequence(0x00209111, index), 0x00209113: sequence(0x00209113, position)})
    elements[0x52009230] = sequence(0x52009230, *frames)


def _report(elements: Elements) -> None:
    put(elements, 0x0040A040, "CS", "CONTAINER")
    elements[0x0040A043] = code(0x0040A043, "126000", "DCM", "Imaging Measurement Report")
    put(elements, 0x0040A050, "CS", "SEPARATE")
    put(elements, 0x0040A491, "CS", "COMPLETE")
    put(elements, 0x0040A493, "CS", "UNVERIFIED")


def _corner(image: Image, z: float) -> list[float]:
    corner = image.field_of_view / image.rows / 2 - image.field_of_view / 2
    return [corner, corner, z]


def _geometry(own: Elements, series: Series, image: Image, instance: int) -> None:
    if image.kind in {"ct", "mr", "pt"}:
        z = round((instance - (series.count - 1) / 2) * image.slice_spacing, 4)
        put(own, 0x00200032, "DS", _corner(image, z))
        put(own, 0x00201041, "DS", [z])
    if image.kind == "pt":
        put(own, 0x00541330, "US", instance % 65535 + 1)
