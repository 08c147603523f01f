#!/usr/bin/env python3
"""Asks whether Maquette's DICOM segmentations mean the same to others.

highdicom writes segmentations of each kind on a small oblique CT series that pydicom wrote; `maquette convert` turns them into
.seg.nrrd, whose voxels must be where highdicom put them. The other way: `maquette convert` writes each kind, which highdicom
must read back voxel by voxel with names and codes, and dciodvfy (Debian dicom3tools), where it is installed, must find no error
in (Label Map is younger than that tool).

Usage: segmentation.py MAQUETTE   (needs pydicom, highdicom, SimpleITK, numpy; see requirements-import.txt beside this file)
Exit code 0 when all agree. Prints one line for each case.
"""
import pathlib
import shutil
import subprocess
import sys
import tempfile

import highdicom as hd
import numpy as np
import pydicom
import SimpleITK as sitk
from highdicom.seg import SegmentationTypeValues as Kind
from orientation import unit
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sr.codedict import codes
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

ROWS, COLUMNS, SLICES = 21, 35, 7
SPACING, STEP_MM = (0.9, 0.7), 2.5
ROW = unit(0.8, 0.6, 0.1)
COLUMN = unit(*np.cross(unit(0.2, -0.5, 0.9), ROW))
ORIGIN = np.array((-31.5, 12.25, 407.0))
# Two words in the family name, a suffix: an archive takes any other spelling for another patient.
NAME = "Secret van der^Person^^^MD"
STUDY_TAGS = ("AccessionNumber", "StudyID", "StudyTime", "StudyDate", "ReferringPhysicianName", "StudyInstanceUID")


def write_series(folder):
    series, frame, study = (pydicom.uid.generate_uid() for _ in range(3))
    images = []
    for k in range(SLICES):
        ds = Dataset()
        ds.file_meta = FileMetaDataset()
        ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = CTImageStorage
        ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = pydicom.uid.generate_uid()
        ds.PatientName, ds.PatientID, ds.Modality = NAME, "M4711", "CT"
        ds.PatientBirthDate, ds.PatientSex, ds.AccessionNumber, ds.StudyID = "19870605", "F", "A1", "1"
        ds.ReferringPhysicianName, ds.StudyDate, ds.StudyTime = "Doc^Tor", "20240102", "030405"
        ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.FrameOfReferenceUID = study, series, frame
        ds.PositionReferenceIndicator = ""
        ds.SeriesNumber, ds.InstanceNumber = 3, k + 1
        ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
        ds.ImagePositionPatient = [f"{v:.8g}" for v in ORIGIN + k * STEP_MM * np.cross(ROW, COLUMN)]
        ds.ImageOrientationPatient = [f"{v:.10f}" for v in (*ROW, *COLUMN)]
        ds.PixelSpacing, ds.SliceThickness = list(SPACING), STEP_MM
        ds.Rows, ds.Columns, ds.SamplesPerPixel = ROWS, COLUMNS, 1
        ds.PhotometricInterpretation = "MONOCHROME2"
        ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 1
        ds.RescaleSlope, ds.RescaleIntercept, ds.RescaleType = 1, 0, "HU"
        ds.PixelData = np.full((ROWS, COLUMNS), k, np.int16).tobytes()
        ds.save_as(folder / f"{k:03d}.dcm", enforce_file_format=True)
        images.append(ds)
    return images


def masks():
    """Slices, rows, columns; the second leaves slices empty, so that frames are missing."""
    first, second = np.zeros((2, SLICES, ROWS, COLUMNS), bool)
    first[1:6, 3:15, 2:33] = True
    first[3, 7:9, 9:14] = False
    second[2, 16:20, 5:30] = True
    second[5, 16:21, 30:35] = True
    return [first, second]


def description(number, label, kind):
    return hd.seg.SegmentDescription(
        segment_number=number, segment_label=label, segmented_property_category=codes.SCT.AnatomicalStructure,
        segmented_property_type=kind, algorithm_type=hd.seg.SegmentAlgorithmTypeValues.MANUAL,
        display_color=hd.color.CIELabColor.from_rgb(224, 97, 76) if number == 1 else None)


def write_highdicom(path, images, kind):
    stack = np.stack(masks(), -1)
    if kind is Kind.FRACTIONAL:
        # Just under and just over a half: only the latter is inside.
        pixels = np.where(stack, 0.51, 0.0).astype(np.float32)
        pixels[0, 0, 0, :] = 0.49
    elif kind is Kind.LABELMAP:
        pixels = np.where(stack[..., 1], 2, np.where(stack[..., 0], 1, 0)).astype(np.uint8)
    else:
        pixels = stack.astype(np.uint8)
    described = [description(1, "Aorta", codes.SCT.Aorta), description(2, "Left kidney", codes.SCT.Kidney)]
    seg = hd.seg.Segmentation(
        source_images=images, pixel_array=pixels, segmentation_type=kind, segment_descriptions=described,
        series_instance_uid=hd.UID(), series_number=9, sop_instance_uid=hd.UID(), instance_number=1,
        manufacturer="Test", manufacturer_model_name="Test", software_versions="1", device_serial_number="1",
        transfer_syntax_uid=ExplicitVRLittleEndian, omit_empty_frames=True)
    seg.save_as(path)


def run(maquette, *arguments):
    done = subprocess.run([maquette, *map(str, arguments)], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{arguments}: {done.stderr}{done.stdout}")


def at_points(image, layer, value):
    """What a written .seg.nrrd says at the centres of the series' voxels."""
    found = np.zeros((SLICES, ROWS, COLUMNS), bool)
    for k, r, c in np.ndindex(found.shape):
        point = ORIGIN + c * SPACING[1] * ROW + r * SPACING[0] * COLUMN + k * STEP_MM * np.cross(ROW, COLUMN)
        index = image.TransformPhysicalPointToIndex(point.tolist())
        if all(0 <= i < n for i, n in zip(index, image.GetSize())):
            pixel = image[index]
            found[k, r, c] = (pixel[layer] if isinstance(pixel, tuple) else pixel) == value
    return found


def say(good, name, failures):
    print(f"{'ok  ' if good else 'FAIL'} {name}")
    if not good:
        failures.append(name)


def theirs(maquette, folder, images, failures):
    for kind in (Kind.BINARY, Kind.FRACTIONAL, Kind.LABELMAP):
        name = f"{kind.value} of highdicom"
        source, target = folder / "theirs.dcm", folder / "theirs.seg.nrrd"
        write_highdicom(source, images, kind)
        run(maquette, "convert", source, target)
        image = sitk.ReadImage(str(target))
        meta = {key: image.GetMetaData(key) for key in image.GetMetaDataKeys()}
        say([meta.get("Segment0_Name"), meta.get("Segment1_Name")] == ["Aorta", "Left kidney"], f"{name}: names", failures)
        say("SCT^15825003^Aorta" in meta.get("Segment0_Tags", ""), f"{name}: code", failures)
        # highdicom takes another white than DICOM's D50: near is near enough.
        color = [round(float(part) * 255) for part in meta["Segment0_Color"].split()]
        say(max(abs(a - b) for a, b in zip(color, (224, 97, 76))) <= 6, f"{name}: colour {color}", failures)
        for n, mask in enumerate(masks()):
            found = at_points(image, int(meta[f"Segment{n}_Layer"]), int(meta[f"Segment{n}_LabelValue"]))
            say((found == mask).all(), f"{name}: voxels of segment {n + 1}", failures)


def ours(maquette, folder, series, images, failures):
    source = folder / "source.dcm"
    write_highdicom(source, images, Kind.BINARY)
    for kind in ("binary", "fractional", "labelmap"):
        name, target = f"{kind} of ours", folder / f"{kind}.dcm"
        run(maquette, "convert", source, target, "--images", series, "--kind", kind, "--identified")
        seg = hd.seg.segread(target)
        say(seg.segmentation_type.value.lower() == kind, f"{name}: kind", failures)
        stored = [str(seg.get(tag, "")) for tag in STUDY_TAGS] == [str(images[0].get(tag, "")) for tag in STUDY_TAGS]
        say(str(seg.PatientName) == NAME and stored and seg.FrameOfReferenceUID == images[0].FrameOfReferenceUID, f"{name}: identity", failures)
        labels = [seg.get_segment_description(n).segment_label for n in (1, 2)]
        code = seg.get_segment_description(1).segmented_property_type
        say(labels == ["Aorta", "Left kidney"] and code == codes.SCT.Aorta, f"{name}: names and codes", failures)
        pixels = seg.get_pixels_by_source_instance(
            [image.SOPInstanceUID for image in images], ignore_spatial_locations=False, assert_missing_frames_are_empty=True,
            **({"rescale_fractional": True} if kind == "fractional" else {}))
        for n, mask in enumerate(masks()):
            say((pixels[..., n].astype(bool) == mask).all(), f"{name}: voxels of segment {n + 1}", failures)
        if kind != "labelmap":
            say(not errors_of(target), f"{name}: dciodvfy {errors_of(target)}", failures)
    # Without identity: no name, and the references that `maquette deidentify` gives the images.
    target, clean = folder / "clean.dcm", folder / "clean"
    run(maquette, "convert", source, target, "--images", series)
    run(maquette, "deidentify", series, clean)
    seg = pydicom.dcmread(target)
    known = {pydicom.dcmread(path).SOPInstanceUID for path in clean.rglob("*.dcm")}
    named = {item.ReferencedSOPInstanceUID for item in seg.ReferencedSeriesSequence[0].ReferencedInstanceSequence}
    say(b"Secret" not in target.read_bytes() and named and named <= known, "de-identified: references meet", failures)


def errors_of(path):
    """What dciodvfy has against a file; None where it is not installed."""
    if not shutil.which("dciodvfy"):
        print("SKIPPED: dciodvfy is not installed")
        return None
    done = subprocess.run(["dciodvfy", "-new", str(path)], capture_output=True, text=True)
    return [line for line in (done.stdout + done.stderr).splitlines() if line.startswith("Error")]


def others(maquette, folder, series, images, failures):
    """Contours and models: dciodvfy, pydicom, and back again."""
    source, contours = folder / "source.dcm", folder / "contours.dcm"
    write_highdicom(source, images, Kind.BINARY)
    run(maquette, "convert", source, contours, "--images", series, "--kind", "rtstruct", "--identified")
    read = pydicom.dcmread(contours)
    names = [str(roi.ROIName) for roi in read.StructureSetROISequence]
    say(names == ["Aorta", "Left kidney"] and not errors_of(contours), f"contours: names, {errors_of(contours)}", failures)
    run(maquette, "convert", contours, folder / "back.seg.nrrd", "--images", series)
    image = sitk.ReadImage(str(folder / "back.seg.nrrd"))
    for n, mask in enumerate(masks()):
        found = at_points(image, int(image.GetMetaData(f"Segment{n}_Layer")), int(image.GetMetaData(f"Segment{n}_LabelValue")))
        say((found == mask).all(), f"contours: voxels of segment {n + 1}", failures)
    corners = [ORIGIN, ORIGIN + (9, 0, 0), ORIGIN + (0, 9, 0), ORIGIN + (0, 0, 9)]
    lines = ["v {} {} {}".format(*corner) for corner in corners] + ["f 1 3 2", "f 1 2 4", "f 2 3 4", "f 3 1 4"]
    (folder / "model.obj").write_text("\n".join(lines))
    run(maquette, "convert", folder / "model.obj", folder / "model.dcm", "--images", series, "--identified")
    read = pydicom.dcmread(folder / "model.dcm")
    stl = read.EncapsulatedDocument[: read.EncapsulatedDocumentLength]
    points = np.concatenate([np.frombuffer(stl, "<f4", 9, 84 + 50 * n + 12) for n in range(4)]).reshape(-1, 3)
    near = all(np.abs(points - corner).max(1).min() < 1e-3 for corner in corners)
    same_frame = read.FrameOfReferenceUID == images[0].FrameOfReferenceUID
    say(near and same_frame and not errors_of(folder / "model.dcm"), f"model: {errors_of(folder / 'model.dcm')}", failures)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    failures = []
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        series = folder / "series"
        series.mkdir()
        images = write_series(series)
        theirs(sys.argv[1], folder, images, failures)
        ours(sys.argv[1], folder, series, images, failures)
        others(sys.argv[1], folder, series, images, failures)
    if failures:
        sys.exit(f"{len(failures)} cases disagree: {', '.join(failures)}")
    print("all cases agree")


if __name__ == "__main__":
    main()
