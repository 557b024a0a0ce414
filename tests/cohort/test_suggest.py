"""What is suggested for a value that no series has."""

from __future__ import annotations

import pytest

import idc_widgets as idc

CASES = [
    ("PatientAge", "65", '"065Y", or idc.between("PatientAge", 65, 65)'),
    ("PatientAge", "65 years old", '"065Y", or idc.between("PatientAge", 65, 65)'),
    ("PatientAge", "7 months", '"007M", or idc.between("PatientAge", 0.583, 0.667)'),
    ("PatientAge", "6.5", 'in years: idc.between("PatientAge", 6, 7)'),
    ("PatientAge", "old", 'in years: idc.between("PatientAge", 60, 70)'),
    ("PatientSex", "female", 'Did you mean "F"?'),
    ("PatientSex", "Male", 'Did you mean "M"?'),
    ("PatientSex", "f", 'Did you mean "F"?'),
    ("BodyPartExamined", "lung", 'Did you mean "LUNG"?'),
    ("BodyPartExamined", "thorax", 'Did you mean "CHEST", "THORAX"?'),
    ("Modality", "MRI", 'Did you mean "MR"?'),
    ("Modality", "mr", 'Did you mean "MR"?'),
    ("Modality", "PET", 'Did you mean "PT"?'),
    ("Modality", "X-ray", 'Did you mean "CR", "DX"?'),
    ("Modality", "CT scan", 'Did you mean "CT"?'),
    ("Modality", "whole slide image", 'Did you mean "SM"?'),
    ("collection_id", "LIDC-IDRI", 'Did you mean "lidc_idri"?'),
    ("collection_id", "TCGA-BRCA", 'Did you mean "tcga_brca"?'),
    ("license_short_name", "CC-BY", 'Did you mean "CC BY 4.0", "CC BY 3.0", "CC BY-NC 4.0"?'),
    ("Manufacturer", "siemens", 'Did you mean "SIEMENS", "Siemens"'),
    ("StudyDate", "20150601", 'written as "2015-06-01"'),
    ("StudyDate", "06/01/2015", 'idc.between("StudyDate", 2015, 2015)'),
    ("cancer_types", "lung cancer", 'Did you mean "Lung Cancer"?'),
    ("tumor_locations", "LUNG", 'Did you mean "Lung", "lung"'),
    ("source_DOI", "10.7937/TCIA.HMQ8-J677", 'Did you mean "10.7937/tcia.hmq8-j677"?'),
]


@pytest.mark.parametrize(("column", "value", "said"), CASES, ids=[f"{c}={v}" for c, v, _ in CASES])
def test_what_was_probably_meant(column: str, value: str, said: str, catalog: idc.Catalog) -> None:
    with pytest.raises(idc.UnknownNameError) as caught:
        catalog.cohort(**{column: value})
    assert str(caught.value).startswith(f'No series has {column} "{value}".')
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("StudyInstanceUID", "1.3.6.1.4.1.14519.5.2.1.6279.6001.100225287222365663678666836861"),
        ("SeriesInstanceUID", "1.3.6.1.4.1.14519.5.2.1.6279.6001.100225287222365663678666836861"),
        ("crdc_series_uuid", "0e79c5f9-c846-4fc5-ae45-62a5bafbb714"),
        ("SOPClassUID", "1.2.840.10008.5.1.4.1.1.22"),
        ("PatientSex", "zzz"),
    ],
)
def test_nothing_is_near_a_uid(column: str, value: str, catalog: idc.Catalog) -> None:
    with pytest.raises(idc.UnknownNameError) as caught:
        catalog.cohort(**{column: value})
    assert "Did you mean" not in str(caught.value)


def test_every_suggested_value_is_one(catalog: idc.Catalog) -> None:
    import re

    for column, value, _ in CASES:
        with pytest.raises(idc.UnknownNameError) as caught:
            catalog.cohort(**{column: value})
        for each in re.findall(r'(?:mean|,) "([^"]+)"', str(caught.value)):
            assert catalog.cohort(**{column: each}).counts.series > 0, (column, value, each)
