#!/usr/bin/env python3
"""Says what pydicom decodes of the real DICOM files that it and pydicom-data ship: one JSON object a line.

For each file: its name inside the package, its path, and where pydicom makes an array of stored values of it: frames,
CRC-32 of the values as little-endian double, smallest and largest value, colours, transfer syntax. Arrays are taken as they
are stored: rescale is arithmetic on top, and the test knows it.

Usage: corpus.py   (needs pydicom, pydicom-data, numpy, pylibjpeg, pylibjpeg-libjpeg, pylibjpeg-openjpeg)
"""
import json
import pathlib
import sys
import warnings
import zlib

import numpy as np
import pydicom

LARGEST_BYTES = 64 << 20


def folders():
    yield "pydicom", pathlib.Path(pydicom.__file__).parent / "data" / "test_files"
    import data_store
    yield "pydicom-data", pathlib.Path(data_store.__file__).parent / "data"


def describe(path):
    try:
        ds = pydicom.dcmread(path, force=True)
        facts = {"syntax": str(getattr(ds.file_meta, "TransferSyntaxUID", "")) if hasattr(ds, "file_meta") else ""}
        if not any(name in ds for name in ("PixelData", "FloatPixelData", "DoubleFloatPixelData")):
            return facts
        facts["colours"] = int(ds.get("SamplesPerPixel", 1))
        facts["allocated"] = int(ds.get("BitsAllocated", 0))
        array = ds.pixel_array
        if array.nbytes > LARGEST_BYTES or array.dtype.kind not in "iuf":
            return facts
        values = np.ascontiguousarray(array, dtype="<f8")
        facts.update(frames=int(ds.get("NumberOfFrames", 1) or 1), crc=zlib.crc32(values.tobytes()), min=float(values.min()),
                     max=float(values.max()), count=int(values.size))
        return facts
    except Exception as error:  # what pydicom cannot read is not compared
        return {"error": f"{type(error).__name__}: {error}"[:200]}


def main():
    warnings.simplefilter("ignore")
    seen = set()
    for package, folder in folders():
        for path in sorted(folder.rglob("*")):
            if not path.is_file() or path.suffix in {".py", ".pyc", ".json", ".txt", ".md", ".sqlite", ".jpg", ".zip", ".toml"}:
                continue
            name = f"{package}/{path.relative_to(folder).as_posix()}"
            if name not in seen:
                seen.add(name)
                print(json.dumps({"file": name, "path": str(path), **describe(path)}))


if __name__ == "__main__":
    sys.exit(main())
