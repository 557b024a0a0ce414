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

const BY_COLUMN: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  Modality: MODALITIES,
  PatientSex: SEXES,
};

/** The human name of a code, or "" when the value speaks for itself. */
export function humanName(column: string, value: Value): string {
  const names = BY_COLUMN[column];
  return (names && typeof value === "string" && Object.hasOwn(names, value) && names[value]) || "";
}

/** A value as a word; the missing value has one too. */
export const valueText = (value: Value): string => (value === null ? "missing" : value === "" ? "(empty)" : String(value));
