#!/usr/bin/env python3
"""Asks whether Maquette decodes real DICOM files of odd kinds to the values that pydicom decodes.

Takes the test files that pydicom ships, and those of the package pydicom-data where it is installed (RLE, JPEG, JPEG lossless, big endian, deflated, implicit ...), gives
each the place that it may lack, and compares smallest and largest value. Files that Maquette refuses are listed with
their sentence: that is allowed, a wrong value or a crash is not.

Usage: codecs.py MAQUETTE   (needs pydicom, numpy, pylibjpeg, pylibjpeg-libjpeg; see requirements-import.txt)
"""
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import pydicom


def test_files():
    files = list((pathlib.Path(pydicom.__file__).parent / "data" / "test_files").glob("*.dcm"))
    try:
        import data_store
        files += pathlib.Path(data_store.__file__).parent.rglob("*.dcm")
    except ImportError:
        pass
    return sorted(set(files))


def expected_range(ds):
    pixels = ds.pixel_array.astype(np.float64)
    slope, intercept = float(ds.get("RescaleSlope", 1) or 1), float(ds.get("RescaleIntercept", 0) or 0)
    return pixels.min() * slope + intercept, pixels.max() * slope + intercept


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    same = refused = skipped = 0
    wrong = []
    with tempfile.TemporaryDirectory() as folder:
        for n, name in enumerate(test_files()):
            try:
                ds = pydicom.dcmread(name)
                low, high = expected_range(ds)
            except Exception:
                low = high = None
            path = pathlib.Path(folder) / f"{n:03d}.dcm"
            data = pathlib.Path(name).read_bytes()
            if low is not None and "ImagePositionPatient" not in ds and int(ds.get("SamplesPerPixel", 1)) == 1:
                ds.ImagePositionPatient, ds.ImageOrientationPatient = [0, 0, 0], [1, 0, 0, 0, 1, 0]
                ds.PixelSpacing, ds.SliceThickness = [1, 1], 1
                try:
                    ds.save_as(path, enforce_file_format=True)
                except Exception:
                    path.write_bytes(data)
            else:
                path.write_bytes(data)
            run = subprocess.run([sys.argv[1], "info", "--json", str(path)], capture_output=True, text=True, timeout=120)
            short = pathlib.Path(name).name
            if run.returncode not in (0, 1) or "panicked" in run.stderr:
                wrong.append(f"{short}: exit code {run.returncode}: {run.stderr.strip()[-200:]}")
            elif run.returncode == 1:
                refused += 1
                print(f"refused {short}: {run.stderr.strip().splitlines()[-1][:150]}")
            elif low is None:
                skipped += 1
                print(f"read    {short}: pydicom could not, not compared")
            else:
                selected = json.loads(run.stdout)["selected"]
                found = selected["range"]
                words = json.dumps(selected["report"])
                if "padding" in words or "MONOCHROME1" in words:
                    skipped += 1
                elif np.allclose(found, (low, high), atol=1e-6 * max(1, abs(high))):
                    same += 1
                else:
                    wrong.append(f"{short}: {found} is not {(low, high)}")
    print(f"{same} files the same, {refused} refused, {skipped} not compared, {len(wrong)} wrong")
    if wrong:
        sys.exit("\n".join(wrong))


if __name__ == "__main__":
    main()
