#!/usr/bin/env python3
"""Asks whether Maquette's pictures in DICOM mean the same to others.

pydicom writes a small CT series with a block of bone and a patient's name. `maquette render` draws it as PNG and as Secondary
Capture, whose pixels must be equal; `maquette movie` draws a turn as a multi-frame object, whose first frame must be that picture;
`maquette surface` writes the block as Encapsulated STL. None may name the patient, all must name the images that
`maquette deidentify` would give the same identifiers, and dciodvfy (Debian dicom3tools), where it is installed, must find no error.

Usage: captures.py MAQUETTE   (needs pydicom, SimpleITK, numpy and what segmentation.py needs)
Exit code 0 when all agree. Prints one line for each case.
"""
import pathlib
import sys
import tempfile

import numpy as np
import pydicom
import SimpleITK as sitk
from segmentation import COLUMNS, NAME, ROWS, errors_of, run, say, write_series


def bone(folder):
    """The series with a block of bone in air."""
    images = write_series(folder)
    for k, image in enumerate(images):
        pixels = np.full((ROWS, COLUMNS), -1000, np.int16)
        if 0 < k < len(images) - 1:
            pixels[5:16, 8:27] = 900
        image.PixelData = pixels.tobytes()
        image.save_as(folder / f"{k:03d}.dcm", enforce_file_format=True)
    return images


def check(path, frames, clean, failures):
    """Whose picture it is, and what dciodvfy says."""
    ds = pydicom.dcmread(path)
    name = path.name
    say(b"Secret" not in path.read_bytes() and str(ds.PatientIdentityRemoved) == "YES", f"{name}: no name", failures)
    say(not errors_of(path), f"{name}: dciodvfy {errors_of(path)}", failures)
    known = {pydicom.dcmread(file).SOPInstanceUID for file in clean.rglob("*.dcm")}
    sources = ds.get("SourceImageSequence") or ds.SourceInstanceSequence
    named = {item.ReferencedSOPInstanceUID for item in sources}
    say(named and named <= known, f"{name}: names its images", failures)
    same_study = {pydicom.dcmread(file).StudyInstanceUID for file in clean.rglob("*.dcm")} == {ds.StudyInstanceUID}
    say(same_study and int(ds.get("NumberOfFrames", 1)) == frames, f"{name}: study and frames", failures)
    return ds


def main():
    maquette = sys.argv[1]
    failures = []
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        series, clean = folder / "series", folder / "clean"
        series.mkdir()
        bone(series)
        run(maquette, "deidentify", series, clean)
        look = ("--preset", "CT-Bone", "--size", "95x71", "--backend", "cpu")
        run(maquette, "render", series, *look, "--out", folder / "a.png")
        png = sitk.GetArrayFromImage(sitk.ReadImage(str(folder / "a.png")))[..., :3]
        run(maquette, "render", series, *look, "--out", folder / "a.dcm")
        ds = check(folder / "a.dcm", 1, clean, failures)
        say((ds.pixel_array == png).all() and png.std() > 5, "a.dcm: pixels of the PNG", failures)
        say("Not for diagnostic use" in ds.ImageComments and ds.BurnedInAnnotation == "NO", "a.dcm: words", failures)
        run(maquette, "movie", series, *look, "--frames", "3", "--seconds", "1.5", "--out", folder / "turn.dcm")
        ds = check(folder / "turn.dcm", 3, clean, failures)
        frames = ds.pixel_array
        say((frames[0] == png).all() and (frames[1] != png).any(), "turn.dcm: pixels", failures)
        say(float(ds.FrameTime) == 500.0, "turn.dcm: time", failures)
        run(maquette, "surface", series, "--iso", "0", "--out", folder / "block.dcm")
        ds = check(folder / "block.dcm", 1, clean, failures)
        size = int.from_bytes(ds.EncapsulatedDocument[80:84], "little")
        say(ds.EncapsulatedDocumentLength == 84 + 50 * size and size > 0, "block.dcm: triangles", failures)
        run(maquette, "render", series, *look, "--identified", "--out", folder / "named.dcm")
        ds = pydicom.dcmread(folder / "named.dcm")
        say(str(ds.PatientName) == NAME and not errors_of(folder / "named.dcm"), "named.dcm", failures)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
