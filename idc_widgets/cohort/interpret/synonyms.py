"""What people say for the catalogue's terms: one listed table for each column, nothing guessed.

A synonym means the same as the values beside it. One that names a wider group lists the group's members that the
index has. Values that a release does not have are left out, and a synonym of none is no synonym in it.
"""

from __future__ import annotations

from collections.abc import Mapping

Synonyms = Mapping[tuple[str, ...], tuple[str, ...]]

#: Modality codes ← words. Several codes: any of them.
MODALITIES: Synonyms = {
    ("CT",): (
        "CT", "CTs", "CT scan", "CAT scan", "CT image", "CT series", "CT volume", "computed tomography",
        "computed tomography scan", "computerized tomography", "computerised tomography", "x-ray CT",
        "x-ray computed tomography",
    ),
    ("MR",): (
        "MR", "MRI", "MRIs", "MR scan", "MRI scan", "MR image", "MR imaging", "magnetic resonance",
        "magnetic resonance imaging", "magnetic resonance image", "NMR", "mpMRI", "multiparametric MRI",
    ),
    ("PT",): ("PT", "PET", "PET scan", "positron emission tomography", "PET image", "PET imaging"),
    ("SM",): (
        "SM", "slide", "slide image", "whole slide", "whole slide image", "whole slide imaging", "WSI", "WSIs",
        "slide microscopy", "microscopy", "microscopy image", "digital pathology", "digitized slide", "pathology",
        "pathology slide", "pathology image", "histopathology", "histopathology slide", "histopathology image",
        "histology", "histology slide", "histology image", "H&E", "HE slide", "H&E slide", "H&E stain", "H&E image",
        "hematoxylin and eosin", "tissue slide", "H&E stained slide", "digital slide", "H&E whole slide image",
    ),
    ("MG",): (
        "MG", "mammography", "mammogram", "mammographies", "digital mammography", "mammography image",
        "x-ray mammography", "x-ray mammogram",
    ),
    ("US",): ("US", "ultrasound", "ultrasound image", "ultrasonography", "sonography", "sonogram", "echography"),
    ("CR", "DX"): (
        "x-ray", "xray", "x-ray image", "radiograph", "radiography", "plain film", "CXR", "digital radiography",
        "plain radiograph", "projection radiography", "radiographic image",
    ),
    ("CR",): ("CR", "computed radiography"),
    ("DX",): ("DX",),
    ("SEG",): (
        "SEG", "segmentation", "segmentation mask", "segmented", "mask", "label map", "labelmap", "DICOM SEG",
        "DICOM segmentation", "segmentation object", "segmentation label",
    ),
    ("ANN",): (
        "ANN", "annotation", "bulk annotation", "bulk simple annotation", "microscopy annotation",
        "microscopy bulk simple annotation", "DICOM ANN",
    ),
    ("RTSTRUCT",): (
        "RTSTRUCT", "RT struct", "RTSS", "structure set", "RT structure", "RT structure set", "contour",
        "radiotherapy structure", "radiotherapy structure set", "radiation therapy structure", "RT contour",
        "radiotherapy contour", "RTSTRUCT contour",
    ),
    ("RTDOSE",): (
        "RTDOSE", "RT dose", "radiotherapy dose", "dose map", "dose distribution", "dose", "radiation therapy dose",
    ),
    ("RTPLAN",): ("RTPLAN", "RT plan", "radiotherapy plan", "treatment plan", "plan", "radiation therapy plan"),
    ("SR",): ("SR", "structured report", "structured reporting", "DICOM SR", "DICOM structured report"),
    ("NM",): ("NM", "nuclear medicine", "bone scan", "bone scintigraphy", "scintigraphy", "SPECT", "scintigram"),
    ("XA",): ("XA", "angiography", "x-ray angiography", "angiogram"),
    ("RF",): ("RF", "fluoroscopy", "x-ray fluoroscopy"),
    ("PR",): ("PR", "presentation state"),
    ("KO",): ("KO", "key object selection"),
    ("REG",): ("REG", "spatial registration"),
    ("RWV",): ("RWV", "real world value mapping"),
    ("XC",): ("XC", "external camera photography"),
}  # fmt: skip

#: Exams that are two modalities at once: the studies that hold both.
EXAMS: Synonyms = {
    ("PT", "CT"): ("PET CT", "PETCT", "PT CT", "PET CT scan", "PET CT image", "CT PET", "PET CT exam"),
    ("PT", "MR"): ("PET MR", "PET MRI", "PETMR", "PETMRI"),
    ("NM", "CT"): ("SPECT CT", "SPECTCT"),
}

_RCC = (
    "Kidney Renal Clear Cell Carcinoma", "Kidney Renal Papillary Cell Carcinoma", "Kidney Chromophobe",
    "Renal Cell Carcinoma, Not Otherwise Specified",
)  # fmt: skip

#: Cancer types ← other names of the same disease.
CANCERS: Synonyms = {
    ("Glioblastoma", "Glioblastoma Multiforme"): ("glioblastoma", "GBM", "GBMs"),
    ("Low Grade GLioma",): ("low grade glioma", "LGG", "lower grade glioma", "low grade brain glioma"),
    ("Non-small Cell Lung Cancer",): ("NSCLC", "non-small cell lung carcinoma", "nonsmall cell lung cancer"),
    ("Small Cell Lung Cancer",): ("SCLC", "small cell lung carcinoma"),
    ("Lung Adenocarcinoma",): ("LUAD", "adenocarcinoma of the lung"),
    ("Lung Squamous Cell Carcinoma",): ("LUSC", "LSCC", "squamous cell lung cancer", "squamous cell lung carcinoma"),
    ("Lung Cancer",): ("cancer of the lung", "lung carcinoma"),
    ("Hepatocellular carcinoma", "Liver Hepatocellular Carcinoma"): (
        "hepatocellular carcinoma", "HCC", "LIHC", "hepatoma",
    ),
    _RCC: ("renal cell carcinoma", "RCC", "renal cell cancer", "kidney renal cell carcinoma"),
    ("Kidney Renal Clear Cell Carcinoma",): (
        "clear cell renal cell carcinoma", "ccRCC", "KIRC", "renal clear cell carcinoma", "clear cell RCC",
    ),
    ("Kidney Renal Papillary Cell Carcinoma",): ("papillary renal cell carcinoma", "pRCC", "KIRP"),
    ("Kidney Chromophobe",): ("chromophobe renal cell carcinoma", "KICH"),
    ("Kidney Cancer",): ("renal cancer", "kidney carcinoma"),
    ("Liver Cancer",): ("hepatic cancer",),
    ("Head and Neck Squamous Cell Carcinoma",): (
        "HNSCC", "HNSC", "head neck squamous cell carcinoma", "H&N squamous cell carcinoma",
    ),
    ("Head and Neck Cancer",): ("H&N cancer", "head neck cancer", "HNC"),
    ("Pancreas Cancer", "Pancreatic Cancer"): ("pancreatic cancer", "pancreas cancer", "cancer of the pancreas"),
    ("Pancreatic Ductal Adenocarcinoma", "Pancreatic ductal adenocarcinoma"): ("PDAC",),
    ("Colorectal Cancer",): ("CRC", "bowel cancer", "colorectal carcinoma"),
    ("Breast Cancer",): ("breast carcinoma", "cancer of the breast"),
    ("Breast Invasive Carcinoma", "Invasive Breast Carcinoma"): ("invasive breast cancer",),
    ("Prostate Cancer",): ("prostate carcinoma", "prostatic cancer", "PCa", "cancer of the prostate"),
    ("Ovarian Cancer",): ("ovary cancer", "ovarian carcinoma"),
    ("Cervical Cancer",): ("cervix cancer",),
    ("Acute Myeloid Leukemia",): ("AML", "acute myelogenous leukemia"),
    ("Multiple Myeloma",): ("myeloma",),
    ("Lymphoid Neoplasm Diffuse Large B-cell Lymphoma", "Diffuse Large B-Cell Lymphoma, Not Otherwise Specified"): (
        "diffuse large B-cell lymphoma", "DLBCL",
    ),
    ("Hodgkin Lymphoma",): ("Hodgkin's lymphoma",),
    ("Gastrointestinal Stromal Tumor",): ("GIST",),
    ("Adrenocortical Carcinoma", "Adrenal Cortical Carcinoma"): (
        "adrenocortical carcinoma", "adrenal cortical carcinoma",
    ),
    ("Sarcomas",): ("sarcoma",),
    ("Soft-tissue Sarcoma",): ("STS",),
    ("Stomach Adenocarcinoma",): ("gastric adenocarcinoma",),
    ("Esophageal Carcinoma",): ("esophageal cancer", "esophagus cancer"),
    ("Uterine Corpus Endometrial Carcinoma", "Corpus Endometrial Carcinoma"): (
        "endometrial cancer", "endometrial carcinoma", "UCEC", "endometrium cancer",
    ),
    ("Testicular Germ Cell",): ("testicular germ cell tumor", "TGCT"),
    ("Cutaneous Melanoma",): ("skin melanoma", "SKCM", "melanoma of the skin"),
    ("Uveal Melanoma",): ("eye melanoma", "ocular melanoma"),
    ("Wilms Tumor",): ("nephroblastoma", "Wilms' tumor"),
    ("COVID-19 (non-cancer)",): (
        "COVID-19", "COVID", "SARS-CoV-2", "coronavirus", "corona virus", "COVID-19 pneumonia",
    ),
    ("Vestibular Schwannoma (non-cancer)",): ("vestibular schwannoma", "acoustic neuroma"),
    ("Lymphadenopathy (non-cancer)",): ("lymphadenopathy",),
    ("Healthy Controls (non-cancer)",): ("healthy control",),
}  # fmt: skip

#: Tumour locations ← other words for the same place, beside the location's own name.
LOCATIONS: Synonyms = {
    ("Head-Neck",): ("head and neck", "H&N", "head neck"),
    ("Testicles",): ("testis", "testicle"),
    ("Bladder",): ("urinary bladder",),
    ("Adrenal", "Adrenal Glands"): ("adrenal",),
}

#: Tumour locations ← words that say a place only before one of `GROWTHS`: "renal tumor".
ADJECTIVES: Synonyms = {
    ("Kidney",): ("renal",),
    ("Liver",): ("hepatic",),
    ("Lung",): ("pulmonary",),
    ("Stomach",): ("gastric",),
    ("Brain",): ("intracranial", "cerebral"),
    ("Ovary",): ("ovarian",),
    ("Uterus",): ("uterine",),
    ("Pancreas",): ("pancreatic",),
    ("Esophagus",): ("esophageal",),
    ("Testicles",): ("testicular",),
    ("Intraocular",): ("ocular", "eye"),
    ("Cervix",): ("cervical",),
    ("Rectum",): ("rectal",),
    ("Thymus",): ("thymic",),
    ("Skin",): ("cutaneous",),
    ("Prostate",): ("prostatic",),
    ("Breast",): ("mammary",),
    ("Colon",): ("colonic",),
    ("Anus",): ("anal",),
}

#: "brain tumor": the place, where the index has no cancer type of this name.
GROWTHS = ("tumor", "cancer", "neoplasm", "mass", "malignancy")

#: Body parts ← words; beside these, each value's own name.
BODY_PARTS: Synonyms = {
    ("CHEST",): ("chest", "thoracic"),
    ("CHEST", "THORAX"): ("thorax",),
    ("WHOLEBODY",): ("whole body", "full body", "total body"),
    ("HEADNECK",): ("head and neck",),
    ("CSPINE",): ("cervical spine", "C-spine"),
    ("TSPINE",): ("thoracic spine", "T-spine"),
    ("LSPINE",): ("lumbar spine", "L-spine"),
    ("ABDOMENPELVIS",): ("abdomen and pelvis", "abdomen pelvis", "abdominopelvic"),
    ("CHESTABDPELVIS",): ("chest abdomen pelvis", "chest abdomen and pelvis", "CAP"),
    ("CHESTABDOMEN",): ("chest and abdomen", "chest abdomen"),
    ("ABDOMEN",): ("abdominal",),
    ("PELVIS",): ("pelvic",),
}

#: Regions rather than organs: beside a kind of image, the part of the body that it shows and no tumour's place.
REGIONS = frozenset(
    {
        "Abdomen", "Arm", "Buttock", "Chest", "Chest-Abdomen-Pelvis", "Extremities", "Head", "LSpine", "Leg", "Pelvis",
        "Shoulder", "TSpine", "Whole Body", "abdomen", "calf", "chest", "elbow", "knee", "leg", "shoulder", "thigh",
    }
)  # fmt: skip

#: Collections ← the names by which people know them.
COLLECTIONS: Synonyms = {
    ("lidc_idri",): ("LIDC", "Lung Image Database Consortium"),
    ("nlst",): ("national lung screening trial",),
    ("c4kc_kits",): ("KiTS", "KiTS19", "kidney tumor segmentation challenge"),
    ("cbis_ddsm",): ("DDSM", "curated breast imaging subset of DDSM"),
    ("ispy1",): ("I-SPY 1", "ISPY 1 trial"),
    ("ispy2",): ("I-SPY 2", "ISPY 2 trial"),
    ("nlm_visible_human_project",): ("visible human", "visible human project", "visible human dataset"),
    ("duke_breast_cancer_mri",): ("Duke breast MRI",),
    ("ldct_and_projection_data",): ("LDCT projection data",),
    ("breast_cancer_screening_dbt",): ("BCS-DBT",),
    ("fdg_pet_ct_lesions",): ("AutoPET",),
    ("lctsc",): ("lung CT segmentation challenge",),
    ("upenn_gbm",): ("Penn GBM",),
}

#: Analysis results ← the names by which people know them.
ANALYSES: Synonyms = {
    ("totalsegmentator_ct_segmentations",): ("TotalSegmentator", "TotalSegmentator segmentation"),
    ("bamf_aimi_annotations",): ("BAMF AIMI", "AIMI annotations"),
    ("pan_cancer_nuclei_seg_dicom",): ("Pan-Cancer-Nuclei-Seg", "pan-cancer nuclei segmentation"),
    ("tcga_sbu_til_maps",): ("TIL maps", "tumor infiltrating lymphocyte maps"),
}

#: Programmes that are known by their code; those whose code is a usual word are none.
PROGRAMS: Synonyms = {
    ("tcga",): ("TCGA", "the cancer genome atlas", "cancer genome atlas"),
    ("cptac",): ("CPTAC", "clinical proteomic tumor analysis consortium"),
    ("htan",): ("HTAN", "human tumor atlas network"),
    ("cmb",): ("CMB", "cancer moonshot biobank"),
    ("cgci",): ("CGCI", "cancer genome characterization initiative"),
    ("ccdi",): ("CCDI", "childhood cancer data initiative"),
    ("hcmi",): ("HCMI", "human cancer models initiative"),
    ("icdc",): ("ICDC", "integrated canine data commons"),
    ("pdmr",): ("PDMR",),
    ("nctn",): ("NCTN",),
    ("qin",): ("QIN", "quantitative imaging network"),
    ("qiba",): ("QIBA",),
    ("rider",): ("RIDER",),
}

SPECIES: Synonyms = {
    ("Human",): ("Human",),
    ("Mouse",): ("mouse", "mice", "murine"),
    ("Canine",): ("canine", "dog"),
}

SEX: Synonyms = {
    ("F",): ("female", "woman", "women"),
    ("M",): ("male", "man", "men"),
}

#: Names that are also usual words or abbreviations: taken alone, or beside other terms, or if written like the name.
CAREFUL = frozenset(
    {
        "US", "PT", "SR", "CR", "DX", "OT", "PR", "KO", "NM", "XA", "RF", "XC", "REG", "ANN", "SM", "FUSION", "RWV",
        "catch", "remind", "CATCH", "ReMIND", "CAP", "CMB", "RIDER", "STS", "GIST", "CRC", "PCa", "HNC", "mask", "man",
        "NMR", "human", "dog", "contour", "Bone", "Blood", "lip", "Marrow", "Arm",
    }
)  # fmt: skip

#: Names that say too little beside other words: taken only if they are the whole text.
ALONE = frozenset(
    {
        "Various", "Normal (non-cancer)", "Non-Cancer", "Non-diseased", "OTHER", "UNKNOWN", "OT", "BODY", "FUSION",
        "WO INTER", "OUTSIDE FIL", "dose", "plan", "Lung Other", "man",
    }
)  # fmt: skip

#: Kinds of tissue rather than of a place: after a place ("prostate adenocarcinoma") they make another name.
HISTOLOGIES = frozenset(
    {
        "Acinar Cell Carcinoma", "Adenocarcinoma", "Carcinosarcoma", "Clear Cell Carcinoma", "Ductal Adenocarcinoma",
        "Ductal adenocarcinoma", "Melanoma", "Metastatic disease", "Mucinous Adenocarcinoma", "Lymphoma", "Leukemia",
        "Mucoepidermoid Carcinoma", "Neuroendocrine Carcinoma", "Neuroendocrine cancer (NOS)", "Sarcomas",
        "Non-Small Cell Carcinoma", "Soft-tissue Sarcoma", "Squamous Cell Carcinoma", "Transitional Cell Carcinoma",
        "Spindle Cell Sarcoma", "Hemangioma", "Rhabdomyosarcoma", "Leiomyosarcoma",
    }
)  # fmt: skip

#: Said around a request without narrowing it; left out once something else was understood.
FILLERS = """
a an the of in on at by for from to all any some my me i we is are there this that show find get give list
    download need want looking look search image imaging scan data dataset database collection patient case
    subject study studie series dicom tcia idc nci volume exam examination where which what how file containing
    contain include including using used related type modality cohort do doe you have ha can could would who many
    much please"""

#: Of these, the ones that a name which is a usual word too may have beside it: "remind dataset".
NOUNS = "image imaging scan data dataset collection series exam"

#: Before a term, these turn its meaning round: the text is then left as it is. ("non" is no word of a name here.)
NEGATIONS = frozenset(
    {
        "not", "no", "non", "without", "w/o", "except", "excluding", "exclude", "excluded", "nor", "neither", "minus",
        "but", "than", "instead", "never", "lack", "lacking", "missing", "ignore", "ignoring", "omit", "omitting",
        "skip", "avoid", "unlike", "ohne", "kein", "keine", "nicht", "außer", "sans", "sin",
    }
)  # fmt: skip

#: The same behind a term: "COVID negative", "segmentation-free".
DENIALS = frozenset({"negative", "free"})

#: Modalities that are also ways of using another: "CT angiography" is CT.
METHODS = frozenset({"XA", "RF"})

#: Phrases in which a word is no term: "bone window" is a way of reconstructing.
_SURFACES = ("bone", "lung", "soft tissue", "brain", "liver", "abdomen", "chest", "mediastinum", "head", "skin")
_WAYS = ("window", "kernel", "algorithm", "recon", "reconstruction", "filter", "setting", "plus", "std", "detail")
NO_TERMS = (
    *(f"{s} {w}" for s in _SURFACES for w in _WAYS),
    "pathology report", "radiology report", "dose report", "low dose", "treatment response", "human readable",
    "skin marker", "subtraction mask", "slide show", "human reader", "human annotator", "control arm", "treatment arm",
    "study arm", *(f"arm {a}" for a in ("a", "b", "c", "d", "1", "2", "3", "4")),
)  # fmt: skip
