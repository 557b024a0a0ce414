// Human names for the codes that DICOM and IDC use.

import type { Value } from "../cube/condition";

const MODALITIES: Readonly<Record<string, string>> = {
  ANN: "Annotation",
  AR: "Autorefraction",
  AU: "Audio",
  BI: "Biomagnetic Imaging",
  BMD: "Bone Densitometry",
  CR: "Computed Radiography",
  CT: "Computed Tomography",
  CTPROTOCOL: "CT Protocol",
  DG: "Diaphanography",
  DOC: "Document",
  DX: "Digital Radiography",
  ECG: "Electrocardiography",
  ES: "Endoscopy",
  FID: "Fiducials",
  FUSION: "Image Fusion",
  GM: "General Microscopy",
  HC: "Hard Copy",
  IO: "Intra-oral Radiography",
  IVOCT: "Intravascular OCT",
  IVUS: "Intravascular Ultrasound",
  KO: "Key Object Selection",
  LS: "Laser Surface Scan",
  M3D: "3D Manufacturing Model",
  MG: "Mammography",
  MR: "Magnetic Resonance",
  NM: "Nuclear Medicine",
  OCT: "Optical Coherence Tomography",
  OP: "Ophthalmic Photography",
  OT: "Other",
  PLAN: "Plan",
  PR: "Presentation State",
  PT: "Positron Emission",
  PX: "Panoramic X-Ray",
  REG: "Registration",
  RF: "Radio Fluoroscopy",
  RG: "Radiographic Imaging",
  RTDOSE: "Radiotherapy Dose",
  RTIMAGE: "Radiotherapy Image",
  RTPLAN: "Radiotherapy Plan",
  RTRECORD: "Radiotherapy Record",
  RTSTRUCT: "Radiotherapy Structure Set",
  RWV: "Real World Value Map",
  SC: "Secondary Capture",
  SEG: "Segmentation",
  SM: "Slide Microscopy",
  SMR: "Stereometric Relationship",
  SR: "Structured Report",
  TEXTUREMAP: "Texture Map",
  TG: "Thermography",
  US: "Ultrasound",
  XA: "X-Ray Angiography",
  XC: "External Camera",
};

const SEXES: Readonly<Record<string, string>> = { F: "Female", M: "Male", O: "Other", U: "Unknown" };

const PROGRAMS: Readonly<Record<string, string>> = {
  apollo: "Applied Proteogenomics Organizational Learning and Outcomes",
  ccdi: "Childhood Cancer Data Initiative",
  cgci: "Cancer Genome Characterization Initiative",
  cmb: "Cancer Moonshot Biobank",
  community: "Contributed by the community",
  cptac: "Clinical Proteomic Tumor Analysis Consortium",
  fda: "Food and Drug Administration",
  hcmi: "Human Cancer Models Initiative",
  htan: "Human Tumor Atlas Network",
  icdc: "Integrated Canine Data Commons",
  midi: "Medical Image De-Identification",
  nci_trials: "Trials of the National Cancer Institute",
  nctn: "National Clinical Trials Network",
  nih: "National Institutes of Health",
  nlm: "National Library of Medicine",
  pdmr: "Patient-Derived Models Repository",
  qiba: "Quantitative Imaging Biomarkers Alliance",
  qin: "Quantitative Imaging Network",
  rider: "Reference Image Database to Evaluate Response",
  tcga: "The Cancer Genome Atlas",
};

const PHOTOMETRIC: Readonly<Record<string, string>> = {
  MONOCHROME1: "Low values bright",
  MONOCHROME2: "Low values dark",
};

const BY_COLUMN: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  Modality: MODALITIES,
  PatientSex: SEXES,
  PhotometricInterpretation: PHOTOMETRIC,
  "collections_index.program_id": PROGRAMS,
};

export type Titles = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** The human name of a code, or "" when the value speaks for itself; `titles` are those that IDC gives. */
export function humanName(column: string, value: Value, titles?: Titles): string {
  if (typeof value !== "string") return "";
  for (const names of [BY_COLUMN[column], titles?.[column]]) {
    if (names && Object.hasOwn(names, value)) return names[value]!;
  }
  return column === "PatientSex" ? "no code of DICOM" : "";
}

/** A value as a word; the missing value has one too. */
export const valueText = (value: Value): string => (value === null ? "missing" : value === "" ? "(empty)" : String(value));

/** "ct_index.SliceThickness" → "Slice thickness (CT)": what a column is called where nobody gave it a name. */
export function columnName(column: string): string {
  const [table, name] = column.includes(".") ? (column.split(/\.(.*)/s) as [string, string]) : ["", column];
  const parts = name.replaceAll("_", " ").replace(/([a-z0-9])([A-Z])/g, "$1 $2").replace(/([A-Z]+)([A-Z][a-z])/g, "$1 $2");
  const words = parts.split(" ").map((w, i) => (/^[A-Z]+$/.test(w) && w.length > 1 ? w : i ? w.toLowerCase() : w.charAt(0).toUpperCase() + w.slice(1)));
  const home = table.replace(/_index$/, "").replaceAll("_", " ");
  return `${words.join(" ")}${home ? ` (${home.length < 4 ? home.toUpperCase() : home})` : ""}`;
}
