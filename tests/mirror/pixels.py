"""Pictures that can be looked at: phantoms of ellipsoids with texture, another slice for every instance.

Whole-number arithmetic only, so the pixels are the same on every machine, for ever.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from .series import Series

# Room for the header of the largest kind, and for what each frame adds to it.
HEADER, FRAME = 2200, 120


@dataclass(frozen=True)
class Image:
    """How the pixels of a series are laid out; one plan for all its instances."""

    kind: str
    rows: int
    columns: int
    frames: int = 1
    grid: int = 1  # slides: tiles a side
    samples: int = 1
    allocated: int = 16
    stored: int = 12
    multiframe: bool = False
    window: tuple[int, int] | None = None
    intercept: int = 0
    field_of_view: float = 400
    slice_spacing: float = 3

    @property
    def size(self) -> int:
        """Bytes of pixel data."""
        return self.rows * self.columns * self.frames * self.samples * self.allocated // 8


# SOP class, after 1.2.840.10008.5.1.4.1.1 -> kind
KINDS = {
    ".2": "ct",
    ".4": "mr",
    ".128": "pt",
    ".77.1.6": "slide",
    ".66.4": "mask",
    ".66.7": "labels",
    ".1": "xray",
    ".1.1": "xray",
    ".1.1.1": "xray",
    ".1.2": "breast",
    ".1.2.1": "breast",
    ".13.1.3": "breast",
    ".13.1.4": "breast",
    ".13.1.5": "breast",
    ".12.1": "xray",
    ".12.2": "xray",
    ".20": "scan",
    ".7": "screen",
    ".7.2": "screen",
    ".6.1": "screen",
    ".3.1": "screen",
}
MULTIFRAME = {".77.1.6", ".66.4", ".66.7", ".13.1.3", ".7.2", ".3.1", ".20"}
TEMPLATES = {
    "ct": Image("ct", 0, 0, window=(40, 400), intercept=-1024),
    "mr": Image("mr", 0, 0, window=(900, 1800), field_of_view=256),
    "pt": Image("pt", 0, 0, stored=16, window=(4000, 8000), field_of_view=600, slice_spacing=4),
    "slide": Image("slide", 0, 0, samples=3, allocated=8, stored=8),
    "mask": Image("mask", 0, 0, allocated=1, stored=1),
    "labels": Image("labels", 0, 0, allocated=8, stored=8),
    "xray": Image("xray", 0, 0, window=(2000, 4000)),
    "breast": Image("breast", 0, 0, window=(2000, 4000)),
    "scan": Image("scan", 0, 0, window=(800, 1600)),
    "screen": Image("screen", 0, 0, allocated=8, stored=8),
}
# Ellipsoids (x, y, z, half axes, value), painted one over the other; 1000 is the edge of the picture or of the stack.
PHANTOMS: dict[str, list[tuple[int, int, int, int, int, int, int]]] = {
    "ct": [
        (0, 0, 0, 860, 640, 3000, 930),
        (0, 0, 0, 800, 580, 3000, 1070),
        (-400, -40, 300, 300, 400, 900, 200),
        (400, -40, 300, 300, 400, 900, 200),
        (110, -170, 100, 230, 210, 420, 1075),
        (-300, 20, -800, 430, 380, 650, 1090),
        (-220, 60, -700, 110, 90, 200, 1040),
        (380, 120, -700, 190, 190, 380, 1065),
        (0, 380, 0, 130, 110, 5000, 1600),
        (0, 300, 0, 60, 45, 5000, 1060),
        (-90, 200, 0, 55, 55, 5000, 1180),
        (0, -530, 300, 120, 40, 800, 1500),
    ],
    "mr": [
        (0, 0, 0, 760, 900, 1150, 1400),
        (0, 0, 0, 700, 840, 1080, 250),
        (0, 0, 0, 660, 800, 1020, 900),
        (-60, -60, 0, 540, 640, 860, 1150),
        (-130, -60, 100, 90, 330, 420, 300),
        (130, -60, 100, 90, 330, 420, 300),
        (-230, 130, -150, 120, 170, 260, 800),
        (230, 130, -150, 120, 170, 260, 800),
        (330, -330, 200, 150, 130, 230, 1900),
    ],
    "pt": [
        (0, 0, 0, 560, 420, 3000, 700),
        (0, -30, 900, 300, 330, 260, 7000),
        (70, -110, 250, 130, 120, 170, 5500),
        (-200, 20, -150, 280, 240, 330, 1800),
        (-230, 170, -350, 80, 80, 140, 4500),
        (230, 170, -350, 80, 80, 140, 4500),
        (0, -60, -850, 130, 110, 150, 9000),
        (-220, -60, 200, 60, 60, 90, 8000),
    ],
    "xray": [
        (0, 100, 0, 880, 900, 9000, 1500),
        (-370, -50, 0, 300, 560, 9000, 3100),
        (370, -50, 0, 300, 560, 9000, 3000),
        (130, 180, 0, 290, 300, 9000, 1000),
        (0, 0, 0, 90, 1200, 9000, 800),
    ],
    "breast": [
        (-1000, 0, 0, 1350, 800, 9000, 1300),
        (-850, 0, 0, 900, 520, 9000, 2000),
        (-500, 120, 0, 260, 180, 9000, 2500),
        (-480, -150, 0, 90, 80, 9000, 3300),
    ],
    "scan": [
        (0, 0, 0, 400, 900, 9000, 300),
        (0, -700, 0, 200, 230, 9000, 900),
        (0, 0, 0, 80, 800, 9000, 1300),
        (0, 550, 0, 270, 180, 9000, 1000),
    ],
    "screen": [
        (0, 0, 0, 820, 820, 9000, 60),
        (-200, -100, 0, 300, 260, 9000, 120),
        (280, 200, 0, 220, 300, 9000, 170),
        (100, -420, 0, 160, 120, 9000, 215),
    ],
    "mask": [(-120, 40, 0, 460, 400, 1000, 1)],
    "labels": [(-120, 40, 0, 460, 400, 1000, 1), (-180, 100, 0, 200, 160, 500, 2)],
}
# Right shift of the texture (-512 to 510): how coarse each kind's is.
TEXTURE = {"ct": 4, "mr": 3, "pt": 2, "xray": 3, "breast": 2, "scan": 3, "screen": 5}
LEVELS = 48
DTYPES = {8: "<u1", 16: "<u2"}


@lru_cache(maxsize=4096)
def image_of(series: Series) -> Image | None:
    """Return the plan of the largest picture that fits the smallest object of the series; None: no picture here."""
    sop_class = series.text("SOPClassUID").removeprefix("1.2.840.10008.5.1.4.1.1")
    kind = KINDS.get(sop_class)
    if kind is None:
        return None
    room = series.smallest - HEADER
    values = vars(TEMPLATES[kind]) | {"multiframe": sop_class in MULTIFRAME}
    if kind in {"ct", "mr", "pt"}:
        values["slice_spacing"] = max(0.5, min(values["slice_spacing"], round(800 / series.count, 1)))
    for side in (256, 128, 64, 32, 16):
        for frames in (16, 9, 4, 1) if values["multiframe"] else (1,):
            grid = {16: 4, 9: 3, 4: 2, 1: 1}[frames]
            if kind == "slide" and grid * side > 512:
                continue
            image = Image(**values | {"rows": side, "columns": side, "frames": frames, "grid": grid})
            if image.size + image.frames * FRAME <= room:
                return image
    return None


def pixels(series: Series, instance: int, image: Image) -> bytes:
    """Return the pixel data of an instance."""
    seed = series.instance_uuid(instance).int
    if image.kind == "slide":
        return _tiles(image, seed)
    if image.kind in {"mask", "labels"}:
        # Neighbouring instances must differ however small they are: the ellipsoid wanders with the instance.
        frames = [
            np.roll(_phantom(image.kind, image.rows, _level(frame, image.frames)), instance % image.rows, axis=1)
            for frame in range(image.frames)
        ]
        stack = np.concatenate([frame.ravel() for frame in frames]).astype(np.uint8)
        return (np.packbits(stack, bitorder="little") if image.kind == "mask" else stack).tobytes()
    area = image.rows * image.columns
    texture = _texture(image.kind, image.allocated)
    parts = []
    for frame in range(image.frames):
        level = _level(instance * image.frames + frame, series.count * image.frames)
        start = (seed + frame * 7919) % (len(texture) - area)
        # One sum and nothing more: the server makes a thousand of these a second.
        grey = _phantom(image.kind, image.rows, level, image.allocated).ravel() + texture[start : start + area]
        parts.append(grey.tobytes())
    return b"".join(parts)


def _level(index: int, count: int) -> int:
    """Return the height of a slice in the stack, as one of a few levels from -LEVELS to LEVELS."""
    return (2 * index + 1) * LEVELS // count - LEVELS


@lru_cache(maxsize=512)
def _phantom(kind: str, side: int, level: int, allocated: int = 8) -> NDArray[np.unsignedinteger]:
    """Return a slice through the phantom. Do not change the result."""
    z = level * 1000 // LEVELS
    axis = (2 * np.arange(side, dtype=np.int64) + 1 - side) * 1000 // side
    # The ground is not black, so that texture never goes below zero.
    picture = np.full((side, side), 512 >> TEXTURE[kind] if kind in TEXTURE else 0, dtype=DTYPES[allocated])
    for x, y, middle, half_x, half_y, half_z, value in PHANTOMS[kind]:
        inside = 1_000_000 - (z - middle) ** 2 * 1_000_000 // half_z**2
        across = (axis - x) ** 2 * 1_000_000 // half_x**2
        down = (axis - y) ** 2 * 1_000_000 // half_y**2
        picture[down[:, None] + across[None, :] <= inside] = value
    return picture


@lru_cache(maxsize=16)
def _texture(kind: str, allocated: int) -> NDArray[np.unsignedinteger]:
    """Return the sum of four bytes around each place, about -512 to 510 before the shift; negative ones wrap around."""
    raw = np.frombuffer(hashlib.shake_128(b"texture").digest(1 << 19), dtype=np.uint8).astype(np.int16) - 128
    return ((raw[:-3] + raw[1:-2] + raw[2:-1] + raw[3:]) >> TEXTURE[kind]).astype(DTYPES[allocated])


@lru_cache(maxsize=4)
def _tissue(side: int) -> NDArray[np.uint8]:
    """Return a stained section, some pixels larger than asked for, so that windows into it differ."""
    side += 64
    grain = np.frombuffer(hashlib.shake_128(b"tissue").digest(side * side), dtype=np.uint8)
    field = grain.reshape(side, side).astype(np.int32)
    for _ in range(3):
        for shift in (1, 2):
            field = field + np.roll(field, shift, axis=0)
            field = field + np.roll(field, shift, axis=1)
    field = field >> 12
    spread = np.abs(field - 128)
    nuclei = field > 134
    gland = _phantom("screen", side, 0) > 16
    picture = np.empty((side, side, 3), dtype=np.int32)
    for channel, (glass, stroma, nucleus) in enumerate(((244, 226, 92), (242, 150, 58), (245, 190, 140))):
        plane = np.where(gland, stroma, glass) - np.where(gland, spread, spread >> 2)
        picture[..., channel] = np.where(nuclei & gland, nucleus + (spread >> 1), plane)
    return np.clip(picture, 0, 255).astype(np.uint8)


def _tiles(image: Image, seed: int) -> bytes:
    side = image.rows * image.grid
    top, left = seed % 64, seed // 64 % 64
    window = _tissue(side)[top : top + side, left : left + side]
    grid = window.reshape(image.grid, image.rows, image.grid, image.columns, 3).swapaxes(1, 2)
    return np.ascontiguousarray(grid).tobytes()
