"""The tables that IDC publishes beside its index, made up from the index and their bundled schemas.

Each has its row for every series that the real one would have (sm_instance_index: the first 20,000 instances), the
columns and types of its schema, and references that agree with the index: a segmentation refers to an image series of
its own study, an instance of a slide is an object of the mirror. All else is drawn from a hash of the series.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from importlib.metadata import version
from pathlib import Path

import duckdb
import idc_index_data
import pandas as pd

from .index import cache_dir, read
from .pixels import image_of
from .series import Series

RELEASE = version("idc-index-data")
INSTANCES = 20_000
_IDC = RELEASE.split(".")[0]
_FOLDER = Path(str(idc_index_data.__file__)).parent
_TYPES = {"STRING": "VARCHAR", "INTEGER": "BIGINT", "FLOAT": "DOUBLE", "BOOLEAN": "BOOLEAN"}
_VALUES = "STRUCT(option_code VARCHAR, option_description VARCHAR)"

CT, MR, PT = (f"1.2.840.10008.5.1.4.1.1.{end}" for end in ("2", "4", "128"))
_SEG = "SOPClassUID IN ('1.2.840.10008.5.1.4.1.1.66.4', '1.2.840.10008.5.1.4.1.1.66.7')"
_ANN = "SOPClassUID = '1.2.840.10008.5.1.4.1.1.91.1'"

# h is a hash of the SeriesInstanceUID; one(h, k, list) and few(h, k, list) draw from a list, k says which draw it is.
_PREPARE = """
CREATE MACRO draw(h, k, n) AS ((h >> k) % n)::INTEGER;
CREATE MACRO one(h, k, l) AS l[1 + draw(h, k, len(l))];
CREATE MACRO few(h, k, l) AS list_sort(list_distinct([one(h, k, l), one(h, k + 7, l)]));
CREATE VIEW idx AS SELECT crdc_series_uuid, collection_id, StudyInstanceUID, SeriesInstanceUID, Modality, SOPClassUID,
  SeriesDescription, BodyPartExamined, TransferSyntaxUID, instanceCount, md5_number_lower(SeriesInstanceUID) AS h
  FROM read_parquet('{parquet}');
CREATE VIEW ct AS FROM idx WHERE SOPClassUID = '{CT}';
CREATE VIEW mr AS FROM idx WHERE SOPClassUID = '{MR}';
CREATE VIEW pt AS FROM idx WHERE SOPClassUID = '{PT}';
CREATE VIEW images AS SELECT StudyInstanceUID,
  list(SeriesInstanceUID ORDER BY instanceCount DESC, SeriesInstanceUID) FILTER (Modality <> 'SM') AS volumes,
  list(SeriesInstanceUID ORDER BY SeriesInstanceUID) FILTER (Modality = 'SM') AS slides
  FROM idx WHERE Modality IN ('CT', 'MR', 'PT', 'SM') GROUP BY 1;
"""

_PLANE = """
  one(h, 3, [0.5, 0.625, 0.7, 0.78125, 0.9766, 1.0, 1.5]) AS PixelSpacing_row_mm,
  PixelSpacing_row_mm * if(draw(h, 5, 50) = 0, 1.01, 1) AS PixelSpacing_col_mm,
  one(h, 9, [128, 256, 512, 512, 512]) AS Rows, "Rows" AS "Columns","""
_GROUPS = ["Neoplasm", "Lymphocyte", "Nuclei", "Stroma", "Necrosis"]
_ORGANS = ["Liver", "Lung", "Kidney", "Prostate", "Brain", "Breast", "Heart", "Lymph node"]

# One query for each table; columns in any order, those left out are missing.
_QUERIES = {
    "ct_index": f"""SELECT SeriesInstanceUID, {_PLANE}
  if(SeriesDescription ILIKE '%scout%' OR SeriesDescription ILIKE '%topogram%',
    ['ORIGINAL', 'PRIMARY', 'LOCALIZER'], ['ORIGINAL', 'PRIMARY', 'AXIAL']) AS ImageType,
  if(draw(h, 13, 40) = 0, NULL, one(h, 17, [0.625, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 5.0])) AS SliceThickness,
  one(h, 19, [80, 100, 120, 120, 120, 140]) AS KVP, [one(h, 21, ['HELICAL MODE', 'AXIAL MODE'])] AS ScanOptions,
  [one(h, 23, ['B30f', 'B45f', 'B70f', 'STANDARD', 'LUNG', 'FC13'])] AS ConvolutionKernel,
  one(h, 27, [0.0, 0.0, 0.0, -5.0, 10.0]) AS GantryDetectorTilt,
  50.0 + draw(h, 29, 300) AS XRayTubeCurrent_min, XRayTubeCurrent_min + draw(h, 31, 100) AS XRayTubeCurrent_max,
  one(h, 33, ['WEDGE', 'BODY FILTER', '0', NULL]) AS FilterType, 20.0 + draw(h, 35, 200) AS Exposure_min,
  Exposure_min + draw(h, 31, 100) AS Exposure_max, 500.0 AS ExposureTime_min, 1000.0 AS ExposureTime_max,
  500.0 AS DataCollectionDiameter, PixelSpacing_row_mm * "Rows" AS ReconstructionDiameter,
  if(ScanOptions = ['HELICAL MODE'], one(h, 37, [0.6, 0.984, 1.375]), NULL) AS SpiralPitchFactor FROM ct""",
    "mr_index": f"""SELECT SeriesInstanceUID, {_PLANE}
  one(h, 13, [1.0, 1.5, 1.5, 3.0, 3.0, NULL]) AS MagneticFieldStrength, few(h, 15, ['SE', 'GR', 'IR', 'EP'])
  AS ScanningSequence, few(h, 17, ['SK', 'SP', 'MP', 'SS']) AS SequenceVariant,
  one(h, 19, ['2D', '2D', '3D']) AS MRAcquisitionType, few(h, 21, [2.5, 4.8, 80.0, 102.0]) AS EchoTime,
  one(h, 23, [5.5, 500.0, 4000.0]) AS RepetitionTime, 1 + draw(h, 25, 20) AS EchoTrainLength,
  one(h, 27, [9, 15, 90, 150]) AS FlipAngle, 100.0 + draw(h, 29, 400) AS PixelBandwidth,
  MagneticFieldStrength * 42.577 AS ImagingFrequency, '1H' AS ImagedNucleus,
  one(h, 31, [1.0, 1.5, 3.0, 4.0, 5.0]) AS SliceThickness,
  if(list_contains(ScanningSequence, 'IR'), 900.0, NULL) AS InversionTime,
  one(h, 33, ['HEAD', 'BODY', 'BREAST', NULL]) AS ReceiveCoilName, one(h, 35, ['*tfl3d1', '*ep_b1000', '*tse2d1', NULL])
  AS SequenceName, if(SequenceName = '*ep_b1000', [0.0, 1000.0], NULL) AS DiffusionBValue,
  if(draw(h, 37, 20) = 0, 5, NULL) AS NumberOfTemporalPositions FROM mr""",
    "pt_index": f"""SELECT SeriesInstanceUID, {_PLANE}
  one(h, 13, ['STATIC/IMAGE', 'WHOLE BODY/IMAGE', 'DYNAMIC/IMAGE']) AS SeriesType,
  one(h, 15, ['BQML', 'BQML', 'CNTS', 'GML']) AS Units, one(h, 17, ['START', 'ADMIN', 'NONE']) AS DecayCorrection,
  ['ATTN', 'DECY', 'SCAT'] AS CorrectedImage, 'DLYD' AS RandomsCorrectionMethod,
  one(h, 19, ['OSEM', 'FBP', 'VPFX']) AS ReconstructionMethod, [one(h, 21, [90000.0, 120000.0, 180000.0])]
  AS ActualFrameDuration, 'Model-based' AS ScatterCorrectionMethod, 'measured' AS AttenuationCorrectionMethod,
  one(h, 23, ['Fluorine F^18^', 'Gallium Ga-68', NULL]) AS RadionuclideCodeMeaning,
  2e8 + 1e6 * draw(h, 25, 300) AS RadionuclideTotalDose, '093000.00' AS RadiopharmaceuticalStartTime,
  one(h, 27, ['Fluorodeoxyglucose F^18^', 'FDG', NULL]) AS Radiopharmaceutical,
  one(h, 29, [2.0, 3.27, 5.0]) AS SliceThickness, instanceCount AS NumberOfSlices,
  if(SeriesType = 'DYNAMIC/IMAGE', 20, NULL) AS NumberOfTimeSlices FROM pt""",
    "seg_index": f"""SELECT SeriesInstanceUID,
  if(SOPClassUID LIKE '%.66.7', 'LABELMAP', one(h, 3, ['BINARY', 'BINARY', 'FRACTIONAL'])) AS SegmentationType,
  1 + draw(h, 5, 4) AS total_segments, one(h, 7, ['AUTOMATIC', 'SEMIAUTOMATIC', 'MANUAL']) AS AlgorithmType,
  if(AlgorithmType = 'MANUAL', NULL, one(h, 9, ['TotalSegmentator', 'Pyradiomics', 'BAMF'])) AS AlgorithmName,
  coalesce(one(h, 11, volumes[:3]), one(h, 11, slides)) AS segmented_SeriesInstanceUID,
  ['Anatomical Structure'] AS SegmentedPropertyCategory_CodeMeanings,
  few(h, 13, {_ORGANS}) AS SegmentedPropertyType_CodeMeanings, [one(h, 15, {_ORGANS})] AS AnatomicRegion_CodeMeanings
  FROM idx LEFT JOIN images USING (StudyInstanceUID) WHERE {_SEG}""",
    "rtstruct_index": """SELECT SeriesInstanceUID,
  few(h, 3, ['GTV', 'PTV', 'CTV', 'Heart', 'Liver', 'Lung_L', 'Lung_R', 'SpinalCord']) AS ROINames,
  len(ROINames) AS total_rois,
  few(h, 5, ['AUTOMATIC', 'MANUAL', 'SEMIAUTOMATIC']) AS ROIGenerationAlgorithms,
  few(h, 7, ['GTV', 'ORGAN', 'PTV']) AS RTROIInterpretedTypes, one(h, 11, volumes[:3]) AS referenced_SeriesInstanceUID
  FROM idx LEFT JOIN images USING (StudyInstanceUID) WHERE Modality = 'RTSTRUCT'""",
    "ann_index": f"""SELECT SeriesInstanceUID, one(h, 3, ['2D', '2D', '3D']) AS AnnotationCoordinateType,
  one(h, 11, slides) AS referenced_SeriesInstanceUID
  FROM idx LEFT JOIN images USING (StudyInstanceUID) WHERE {_ANN}""",
    "ann_group_index": f"""SELECT SeriesInstanceUID, n AS AnnotationGroupNumber,
  '2.25.' || md5_number_lower(SeriesInstanceUID || n) AS AnnotationGroupUID,
  one(h, n, {_GROUPS}) AS AnnotationGroupLabel, one(h, 5, ['MANUAL', 'AUTOMATIC']) AS AnnotationGroupGenerationType,
  10 + draw(h, 3 * n, 5000) AS NumberOfAnnotations, one(h, 2 * n, ['POINT', 'POLYGON', 'ELLIPSE']) AS GraphicType,
  'SCT:91723000' AS AnnotationPropertyCategory_code,
  'Anatomical Structure' AS AnnotationPropertyCategory_CodeMeaning,
  'SCT:' || (84640000 + draw(h, n, len({_GROUPS}))) AS AnnotationPropertyType_code,
  AnnotationGroupLabel AS AnnotationPropertyType_CodeMeaning,
  if(AnnotationGroupGenerationType = 'AUTOMATIC', 'HoVer-Net', NULL) AS AlgorithmName
  FROM (SELECT *, unnest(range(1, 2 + draw(h, 1, 3))) AS n FROM idx WHERE {_ANN})""",
    "contrast_index": """SELECT SeriesInstanceUID,
  [one(h, 5, ['Omnipaque', 'Visipaque', 'Gadavist', 'YES'])] AS ContrastBolusAgent,
  if(draw(h, 7, 3) = 0, [one(h, 9, ['IODINE', 'GADOLINIUM'])], []) AS ContrastBolusIngredient,
  [one(h, 11, ['IV', 'Intravenous', 'ORAL'])] AS ContrastBolusRoute
  FROM idx WHERE Modality IN ('CT', 'MR', 'PT', 'XA', 'RF') AND draw(h, 3, 3) = 0""",
    "volume_geometry_index": """SELECT SeriesInstanceUID, draw(h, 3, 20) > 0 AS single_orientation,
  TRUE AS orthogonal_orientation, draw(h, 5, 10) > 0 AS unique_slice_positions,
  single_orientation AS consistent_in_plane_row, single_orientation AS consistent_in_plane_col,
  draw(h, 7, 50) > 0 AS consistent_pixel_spacing, TRUE AS consistent_image_dimensions,
  unique_slice_positions AND instanceCount > 1 AND draw(h, 9, 8) > 0 AS uniform_slice_spacing,
  if(single_orientation, one(h, 11, [0.0, 0.0, 5.2, 21.7]), NULL) AS obliquity_degrees,
  single_orientation AND uniform_slice_spacing AND consistent_pixel_spacing AS regularly_spaced_3d_volume,
  if(regularly_spaced_3d_volume, [-250.0, -250.0, -1.0 * draw(h, 13, 900)], NULL) AS origin_patient,
  if(regularly_spaced_3d_volume, [1.0, 0, 0, 0, 1, 0], NULL) AS ImageOrientationPatient,
  if(regularly_spaced_3d_volume, one(h, 17, [0.625, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 5.0]), NULL) AS slice_spacing_mm
  FROM (FROM ct UNION ALL FROM mr UNION ALL FROM pt)""",
    "sm_index": """SELECT SeriesInstanceUID, 'S' || draw(h, 3, 1000000) AS ContainerIdentifier,
  ['Paraffin wax'] AS embeddingMedium_CodeMeaning, ['SCT:311731000'] AS embeddingMedium_code_designator_value_str,
  ['Formalin'] AS tissueFixative_CodeMeaning, ['SCT:431510009'] AS tissueFixative_code_designator_value_str,
  ['hematoxylin stain', 'water soluble eosin stain'] AS staining_usingSubstance_CodeMeaning,
  ['SCT:12710003', 'SCT:36879007'] AS staining_usingSubstance_code_designator_value_str,
  one(h, 5, [0.00025, 0.0005]) AS min_PixelSpacing_2sf, across AS max_TotalPixelMatrixColumns,
  down AS max_TotalPixelMatrixRows, if(min_PixelSpacing_2sf < 0.0004, 40, 20) AS ObjectiveLensPower,
  'SCT:' || (10200004 + draw(h, 7, 8)) AS primaryAnatomicStructure_code_designator_value_str,
  one(h, 7, ['Liver', 'Lung', 'Kidney', 'Prostate', 'Brain', 'Breast', 'Colon', 'Skin'])
  AS primaryAnatomicStructure_CodeMeaning,
  one(h, 9, ['Tumor', 'Normal', NULL]) AS primaryAnatomicStructureModifier_CodeMeaning,
  'DCM:111744' AS illuminationType_code_designator_value_str,
  'Brightfield illumination' AS illuminationType_CodeMeaning
  FROM slides JOIN idx USING (crdc_series_uuid)""",
    "sm_instance_index": """SELECT SOPInstanceUID, SeriesInstanceUID, crdc_instance_uuid, instance_size,
  ['Paraffin wax'] AS embeddingMedium_CodeMeaning, ['SCT:311731000'] AS embeddingMedium_code_designator_value_str,
  ['Formalin'] AS tissueFixative_CodeMeaning, ['SCT:431510009'] AS tissueFixative_code_designator_value_str,
  ['hematoxylin stain', 'water soluble eosin stain'] AS staining_usingSubstance_CodeMeaning,
  ['SCT:12710003', 'SCT:36879007'] AS staining_usingSubstance_code_designator_value_str,
  one(h, 5, [0.00025, 0.0005]) AS PixelSpacing_0, ['ORIGINAL', 'PRIMARY', 'VOLUME', 'NONE'] AS ImageType,
  split_part(TransferSyntaxUID, ',', 1) AS TransferSyntaxUID, across AS TotalPixelMatrixColumns,
  down AS TotalPixelMatrixRows
  FROM instances JOIN slides USING (crdc_series_uuid) JOIN idx USING (crdc_series_uuid)""",
    "clinical_index": f"""WITH tables AS (
    SELECT DISTINCT collection_id, collection_id || '_clinical' AS short FROM idx
    WHERE md5_number_lower(collection_id) % 3 > 0),
  columns AS (SELECT unnest([
    {{'c': 'dicom_patient_id', 'l': 'idc_provenance_dicom_patient_id', 'v': NULL}},
    {{'c': 'age_at_diagnosis', 'l': 'Age at diagnosis', 'v': NULL}},
    {{'c': 'gender', 'l': 'Gender', 'v': [{{'option_code': 'F', 'option_description': 'Female'}},
      {{'option_code': 'M', 'option_description': 'Male'}}]}},
    {{'c': 'vital_status', 'l': 'Vital status', 'v': [{{'option_code': '0', 'option_description': 'Alive'}},
      {{'option_code': '1', 'option_description': 'Dead'}}]}}], recursive := true))
  SELECT collection_id, 'bigquery-public-data.idc_v{_IDC}_clinical.' || short AS table_name,
  short AS short_table_name, c AS "column", l AS column_label, v AS "values" FROM tables, columns""",
}
_ORDER = {"clinical_index": 'collection_id, table_name, "column"', "sm_instance_index": "SOPInstanceUID"}


class Tables:
    """The published tables as parquet files, each made when first asked for and kept for the next time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._digests: dict[str, str] = {}

    def path(self, name: str) -> Path | None:
        """Return the table's file, None if IDC publishes none of this name."""
        if name not in _QUERIES:
            return None
        path = cache_dir("tables", "index", "series", "pixels") / f"{name}.parquet"
        with self._lock:
            if not path.exists():
                draft = path.with_name(f"{name}.draft{os.getpid()}")
                try:
                    _write(name, draft)
                    draft.replace(path)
                finally:
                    draft.unlink(missing_ok=True)
        return path

    def body(self, key: str) -> bytes | None:
        """Return what lies at ``download/<release>/<name>.parquet``, or ``.sha256`` of that; None if nothing does."""
        folder, _, file = key.rpartition("/")
        name, dot, kind = file.partition(".")
        path = self.path(name) if folder == f"download/{RELEASE}" and dot else None
        if path is None or kind not in ("parquet", "parquet.sha256"):
            return None
        body = path.read_bytes()
        if kind == "parquet":
            return body
        if name not in self._digests:
            self._digests[name] = hashlib.sha256(body).hexdigest()
        return f"{self._digests[name]}  {name}.parquet\n".encode()


def _write(name: str, path: Path) -> None:
    schema = json.loads((_FOLDER / f"{name}_schema.json").read_text("utf-8"))["columns"]
    with duckdb.connect() as connection:
        connection.execute("SET enable_progress_bar = false")
        parquet = str(idc_index_data.IDC_INDEX_PARQUET_FILEPATH).replace("'", "''")
        connection.execute(_PREPARE.format(parquet=parquet, CT=CT, MR=MR, PT=PT))
        if name.startswith("sm_"):
            _slides(connection)
        made = {row[0] for row in connection.execute(f"DESCRIBE {_QUERIES[name]}").fetchall()}
        assert made <= {column["name"] for column in schema}, name
        columns = ", ".join(
            f"{_quoted(column) if column['name'] in made else 'NULL'}::{_type(column)} AS {_quoted(column)}"
            for column in schema
        )
        connection.execute(
            f"COPY (SELECT {columns} FROM ({_QUERIES[name]}) ORDER BY {_ORDER.get(name, 'SeriesInstanceUID')}) "
            f"TO '{str(path).replace(chr(39), chr(39) * 2)}' (FORMAT parquet, COMPRESSION zstd)"
        )


def _quoted(column: dict[str, str]) -> str:
    return f'"{column["name"]}"'


def _type(column: dict[str, str]) -> str:
    kind = _VALUES if column["type"] == "RECORD" else _TYPES[column["type"]]
    return kind + ("[]" if column["mode"] == "REPEATED" else "")


def _slides(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the tables `slides` and `instances`, which agree with the mirror's objects."""
    series = read("Modality = 'SM'")
    slides = pd.DataFrame([(each.uuid, *_extent(each)) for each in series], columns=["uuid", "across", "down"])
    objects: list[tuple[str, str, str, int]] = []
    for each in series:
        if len(objects) + each.count <= INSTANCES:
            for instance in range(each.count):
                uuid = each.instance_uuid(instance)
                objects.append((each.uuid, f"2.25.{uuid.int}", str(uuid), each.instance_size(instance)))
    instances = pd.DataFrame(objects, columns=["series", "SOPInstanceUID", "uuid", "instance_size"])
    connection.register("slides_frame", slides).execute(
        "CREATE TABLE slides AS SELECT uuid AS crdc_series_uuid, across, down FROM slides_frame"
    )
    connection.register("instances_frame", instances).execute(
        "CREATE TABLE instances AS SELECT series AS crdc_series_uuid, SOPInstanceUID, uuid AS crdc_instance_uuid, "
        "instance_size FROM instances_frame"
    )


def _extent(series: Series) -> tuple[int, int]:
    image = image_of(series)
    assert image is not None, series.uuid
    return image.columns * image.grid, image.rows * image.grid
