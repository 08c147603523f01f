#!/usr/bin/env python3
"""Times Maquette's import against SimpleITK (GDCM) and pydicom (OpenJPEG) on the same files, in the same run, paired.

Made from a CT series given: 300 slices of 512 x 512 (series reader against `scan` and `load` with cells and histogram), a
folder of 5,000 files (header scan against GDCM's list of series through SimpleITK), and 60 slices as JPEG 2000 (all of
them decoded, against pydicom on one core). Everything lies in the page cache. Prints medians, their ratios, and the peak
memory of Maquette over the size of the volume.

Usage: import.py MAQUETTE SERIES_FOLDER [RUNS]   (needs pydicom, SimpleITK, numpy, pylibjpeg, pylibjpeg-openjpeg)
"""
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import pydicom
import SimpleITK as sitk
from pydicom.uid import ExplicitVRLittleEndian, JPEG2000Lossless


def make_series(source, folder, count, syntax=None):
    """Slices of the source again and again, each at a place of its own."""
    folder.mkdir()
    slices = sorted((pydicom.dcmread(path) for path in source.iterdir()), key=lambda ds: ds.ImagePositionPatient[2])
    series = pydicom.uid.generate_uid()
    for n in range(count):
        ds = slices[n % len(slices)]
        ds.SeriesInstanceUID, ds.InstanceNumber = series, n + 1
        ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = pydicom.uid.generate_uid()
        ds.ImagePositionPatient = [*ds.ImagePositionPatient[:2], n * 1.25]
        ds.SliceThickness = 1.25
        if syntax:
            ds.decompress() if ds.file_meta.TransferSyntaxUID.is_compressed else None
            pixels = ds.PixelData
            ds.compress(syntax, generate_instance_uid=False)
            ds.save_as(folder / f"{n:05d}.dcm", enforce_file_format=True)
            ds.PixelData, ds.file_meta.TransferSyntaxUID = pixels, ExplicitVRLittleEndian
            ds["PixelData"].is_undefined_length = False
        else:
            ds.save_as(folder / f"{n:05d}.dcm", enforce_file_format=True)


def timed(work):
    begin = time.perf_counter()
    result = work()
    return (time.perf_counter() - begin) * 1e3, result


def read_with_itk(folder):
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    return reader.Execute()


def ours(maquette, folder):
    """Rows of the bench: case to (wall ms, CPU ms, peak MiB)."""
    command = [maquette, "bench", "import", "--backend", "cpu", "--runs", "1", "--json", "--input", str(folder)]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    rows = [json.loads(line) for line in lines]
    return {row["case"].split("/")[1]: row for row in rows}


def show(name, theirs, mine, unit="ms"):
    a, b = statistics.median(theirs), statistics.median(mine)
    print(f"{name:<44} {a:>9.1f} {unit:<4} maquette {b:>9.1f} {unit:<4} {a / b:>6.1f} x")


def main():
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    maquette, source = sys.argv[1], pathlib.Path(sys.argv[2])
    runs = int(sys.argv[3]) if len(sys.argv) == 4 else 5
    with tempfile.TemporaryDirectory() as temporary:
        root = pathlib.Path(temporary)
        make_series(source, root / "plain", 300)
        make_series(source, root / "j2k", 60, JPEG2000Lossless)
        (root / "many").mkdir()
        names = sorted((root / "plain").iterdir())
        for n in range(5000):
            os.link(names[n % len(names)], root / "many" / f"{n:05d}.dcm")
        series = {"theirs": [], "ours": []}
        scans = {"theirs": [], "ours": []}
        decode = {"theirs": [], "ours": []}
        peak = 0
        for _ in range(runs):
            series["theirs"].append(timed(lambda: read_with_itk(root / "plain"))[0])
            rows = ours(maquette, root / "plain")
            series["ours"].append(sum(row["wall_ms"] for row in rows.values()))
            peak = max(peak, rows["cells and histogram"]["peak_rss_mb"] / rows["load"]["produced"]["sample_mb"])
            scans["theirs"].append(timed(lambda: sitk.ImageSeriesReader.GetGDCMSeriesIDs(str(root / "many")))[0])
            command = [maquette, "scan", "--json", str(root / "many")]
            scans["ours"].append(timed(lambda: subprocess.run(command, check=True, capture_output=True))[0])
            files = [pydicom.dcmread(path) for path in sorted((root / "j2k").iterdir())]
            # CPU time on both sides: pydicom decodes on one core, and what else runs does not count.
            begin = time.process_time()
            [ds.pixel_array for ds in files]
            decode["theirs"].append((time.process_time() - begin) * 1e3)
            decode["ours"].append(ours(maquette, root / "j2k")["load"]["cpu_ms"])
        show("SimpleITK series reader, 300 x 512 x 512", series["theirs"], series["ours"])
        show("SimpleITK series ids, 5,000 files", scans["theirs"], scans["ours"])
        show("pydicom JPEG 2000, 60 slices (CPU time)", decode["theirs"], decode["ours"])
        print(f"peak memory over the volume: {peak:.2f} x")


if __name__ == "__main__":
    main()
