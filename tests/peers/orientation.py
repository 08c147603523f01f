#!/usr/bin/env python3
"""Asks whether Maquette puts voxels where SimpleITK puts them.

pydicom writes small CT series with one bright voxel on the patient's left, in many orientations and with file names and
instance numbers shuffled; SimpleITK says where in the patient that voxel lies; `maquette info --json` must say the same
point, to 1e-3 mm. A tilted gantry is checked against SimpleITK's reading of the single slice, because ITK images cannot
lean. NIfTI and NRRD files written by SimpleITK are compared in the same way, with their whole geometry.

Usage: orientation.py MAQUETTE         asks the program; exit code 0 when all agree, one line for each case
       orientation.py --write FOLDER   writes the series and FOLDER/truth.json, for tests/suite/orientation.rs to follow
                                       the marker onto slices, into 3D and into the STL
(needs pydicom, SimpleITK, numpy; see requirements-import.txt beside this file)
"""
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import pydicom
import SimpleITK as sitk
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, ImplicitVRLittleEndian

ROWS, COLUMNS, SLICES = 14, 11, 9
SPACING = (0.9, 0.7)  # between rows, between columns
STEP_MM = 2.5
TOLERANCE_MM = 1e-3


def unit(*v):
    v = np.array(v, float)
    return v / np.linalg.norm(v)


def orientations():
    oblique_row = unit(0.8, 0.6, 0.1)
    oblique_column = unit(*np.cross(unit(0.2, -0.5, 0.9), oblique_row))
    return [
        # name, patient position, row direction, column direction, lean of each slice (mm, patient)
        ("HFS axial", "HFS", (1, 0, 0), (0, 1, 0), (0, 0, 0)),
        ("FFS axial", "FFS", (-1, 0, 0), (0, 1, 0), (0, 0, 0)),
        ("HFP axial", "HFP", (-1, 0, 0), (0, -1, 0), (0, 0, 0)),
        ("FFP axial", "FFP", (1, 0, 0), (0, -1, 0), (0, 0, 0)),
        ("HFDR axial", "HFDR", (0, 1, 0), (-1, 0, 0), (0, 0, 0)),
        ("sagittal", "HFS", (0, 1, 0), (0, 0, -1), (0, 0, 0)),
        ("coronal", "HFS", (1, 0, 0), (0, 0, -1), (0, 0, 0)),
        ("oblique", "HFS", tuple(oblique_row), tuple(oblique_column), (0, 0, 0)),
        ("HFS tilted gantry", "HFS", (1, 0, 0), (0, 1, 0), (0, 0.6, 0)),
        ("FFP tilted gantry", "FFP", (1, 0, 0), (0, -1, 0), (0, -0.8, 0)),
    ]


def write_series(folder, position, row, column, lean, implicit):
    """Writes the series; returns (file of the marker's slice, its column and row)."""
    rng = np.random.default_rng(7)
    row, column = np.array(row, float), np.array(column, float)
    normal = np.cross(row, column)
    origin = np.array((-31.5, 12.25, 407.0))
    step = normal * STEP_MM + np.array(lean)
    # The marker goes to the leftmost corner region of the block (largest x), never to its centre.
    corners = [(c, r, k) for c in (1, COLUMNS - 2) for r in (2, ROWS - 3) for k in (1, SLICES - 2)]
    place = lambda c, r, k: origin + c * SPACING[1] * row + r * SPACING[0] * column + k * step
    marker = max(corners, key=lambda at: (place(*at)[0], at))
    series, frame, study = (pydicom.uid.generate_uid() for _ in range(3))
    names = rng.permutation(SLICES)
    for k in range(SLICES):
        pixels = rng.integers(-1000, 200, (ROWS, COLUMNS)).astype(np.int16)
        if k == marker[2]:
            pixels[marker[1], marker[0]] = 3000
        ds = Dataset()
        ds.file_meta = FileMetaDataset()
        ds.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian
        ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = CTImageStorage
        ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = pydicom.uid.generate_uid()
        ds.PatientName, ds.PatientID, ds.Modality = "Marker^Left", "M1", "CT"
        ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.FrameOfReferenceUID = study, series, frame
        ds.PatientPosition, ds.InstanceNumber = position, int(SLICES - k)
        ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
        ds.ImagePositionPatient = [f"{v:.8g}" for v in place(0, 0, k)]
        ds.ImageOrientationPatient = [f"{v:.10f}" for v in (*row, *column)]
        ds.PixelSpacing, ds.SliceThickness = list(SPACING), STEP_MM
        ds.Rows, ds.Columns, ds.SamplesPerPixel = ROWS, COLUMNS, 1
        ds.PhotometricInterpretation = "MONOCHROME2"
        ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 1
        ds.RescaleSlope, ds.RescaleIntercept, ds.RescaleType = 1, 0, "HU"
        ds.PixelData = pixels.tobytes()
        path = folder / f"{names[k]:03d}"
        ds.save_as(path, enforce_file_format=True)
        if k == marker[2]:
            marker_file = path
    return marker_file, marker[0], marker[1]


def brightest(image):
    array = sitk.GetArrayViewFromImage(image)
    k, j, i = np.unravel_index(int(np.argmax(array)), array.shape)
    return np.array(image.TransformIndexToPhysicalPoint((int(i), int(j), int(k))))


def ask(maquette, path):
    out = subprocess.run([maquette, "info", "--json", str(path)], check=True, capture_output=True, text=True)
    return json.loads(out.stdout)["selected"]


def report(name, off_mm, failures, note=""):
    good = off_mm <= TOLERANCE_MM
    print(f"{'ok  ' if good else 'FAIL'} {name:<28} {off_mm:.6f} mm {note}")
    if not good:
        failures.append(name)


def check_dicom(maquette, folder, failures):
    for n, (name, position, row, column, lean) in enumerate(orientations()):
        case = folder / f"case{n}"
        case.mkdir()
        marker_file, c, r = write_series(case, position, row, column, lean, implicit=n % 2 == 1)
        one = sitk.ReadImage(str(marker_file))
        truth = np.array(one.TransformIndexToPhysicalPoint((c, r, 0)))
        found = np.array(ask(maquette, case)["largest_at_in_patient"])
        off = np.linalg.norm(found - truth)
        if not any(lean):
            reader = sitk.ImageSeriesReader()
            reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(case)))
            off = max(off, np.linalg.norm(brightest(reader.Execute()) - found))
            note = "slice and series"
        else:
            note = "single slice (ITK cannot lean)"
        report(name, off, failures, note)


def check_research(maquette, folder, failures):
    rng = np.random.default_rng(3)
    for n, (name, _, row, column, _) in enumerate(orientations()[:8]):
        image = sitk.GetImageFromArray(rng.integers(0, 500, (SLICES, ROWS, COLUMNS)).astype(np.int16))
        image.SetSpacing((SPACING[1], SPACING[0], STEP_MM))
        image.SetOrigin((-31.5, 12.25, 407.0))
        normal = np.cross(row, column)
        image.SetDirection(np.column_stack((row, column, normal)).ravel().tolist())
        image[COLUMNS - 2, 2, 1] = 3000
        for end in ("nii.gz", "nii", "nrrd", "nhdr"):
            path = folder / f"research{n}.{end}"
            sitk.WriteImage(image, str(path))
            back = sitk.ReadImage(str(path))
            selected = ask(maquette, path)
            matrix = np.array(selected["geometry"]["patient_from_voxel"])
            off = np.linalg.norm(brightest(back) - selected["largest_at_in_patient"])
            for corner in ((0, 0, 0), (COLUMNS - 1, 0, 0), (0, ROWS - 1, 0), (0, 0, SLICES - 1)):
                ours = matrix @ np.array((*corner, 1.0))
                off = max(off, np.linalg.norm(np.array(back.TransformIndexToPhysicalPoint(corner)) - ours))
            if list(back.GetSize()) != selected["geometry"]["dims"]:
                off = float("inf")
            report(f"{end} {name}", off, failures)


def write_all(folder):
    """Writes every series into a folder of its own, and where SimpleITK says that the marker is."""
    truth = []
    for n, (name, position, row, column, lean) in enumerate(orientations()):
        case = folder / f"case{n}"
        case.mkdir(parents=True)
        marker_file, c, r = write_series(case, position, row, column, lean, implicit=n % 2 == 1)
        point = sitk.ReadImage(str(marker_file)).TransformIndexToPhysicalPoint((c, r, 0))
        truth.append({"name": name, "folder": case.name, "marker_in_patient": point})
    (folder / "truth.json").write_text(json.dumps(truth))


def main():
    if len(sys.argv) == 3 and sys.argv[1] == "--write":
        write_all(pathlib.Path(sys.argv[2]))
        return
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    failures = []
    with tempfile.TemporaryDirectory() as folder:
        check_dicom(sys.argv[1], pathlib.Path(folder), failures)
        check_research(sys.argv[1], pathlib.Path(folder), failures)
    if failures:
        sys.exit(f"{len(failures)} cases disagree: {', '.join(failures)}")
    print("all cases agree")


if __name__ == "__main__":
    main()
