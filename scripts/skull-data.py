#!/usr/bin/env python3
"""Writes the head CT of Debian's package invesalius-examples as a DICOM series and its bone mask as NRRD.

usage: skull-data.py CRANIUM.inv3 FOLDER

FOLDER/skull-ct/dicom and FOLDER/skull-ct/bone-mask.nrrd are what the tests look for under MAQUETTE_TEST_DATA. An .inv3 file
is a tar.gz with property lists and raw arrays; its rows run from back to front. Standard library only.
"""

import array
import gzip
import plistlib
import struct
import sys
import tarfile
from pathlib import Path

CT_IMAGE_STORAGE = "1.2.840.10008.5.1.4.1.1.2"
EXPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2.1"
UID_ROOT = "2.25.190820261121"


def element(group, number, vr, value):
    """One explicit little endian data element."""
    if isinstance(value, str):
        value = value.encode("ascii")
        if len(value) % 2:
            value += b"\0" if vr == "UI" else b" "
    head = struct.pack("<HH2s", group, number, vr.encode())
    if vr in ("OB", "OW", "SQ", "UN", "UT"):
        return head + struct.pack("<HI", 0, len(value)) + value
    return head + struct.pack("<H", len(value)) + value


def short(value):
    return struct.pack("<H", value)


def slice_file(index, pixels, rows, columns, spacing, origin):
    """A whole DICOM file for one slice; instance numbers run against the positions, as in real archives."""
    sop_uid = f"{UID_ROOT}.3.{index + 1}"
    meta = element(2, 0x0001, "OB", b"\0\1") + element(2, 0x0002, "UI", CT_IMAGE_STORAGE)
    meta += element(2, 0x0003, "UI", sop_uid) + element(2, 0x0010, "UI", EXPLICIT_LITTLE_ENDIAN)
    meta += element(2, 0x0012, "UI", f"{UID_ROOT}.9")
    meta = element(2, 0x0000, "UL", struct.pack("<I", len(meta))) + meta
    position = f"{origin[0]:.9g}\\{origin[1]:.9g}\\{origin[2] + index * spacing[2]:.9g}"
    data = [
        element(0x0008, 0x0008, "CS", "ORIGINAL\\PRIMARY\\AXIAL"),
        element(0x0008, 0x0016, "UI", CT_IMAGE_STORAGE),
        element(0x0008, 0x0018, "UI", sop_uid),
        element(0x0008, 0x0060, "CS", "CT"),
        element(0x0008, 0x103E, "LO", "Head CT bone"),
        element(0x0010, 0x0010, "PN", "DEMO^SKULL"),
        element(0x0010, 0x0020, "LO", "DEMO-Skull"),
        element(0x0018, 0x0050, "DS", f"{spacing[2]:.6g}"),
        element(0x0018, 0x5100, "CS", "HFS"),
        element(0x0020, 0x000D, "UI", f"{UID_ROOT}.1"),
        element(0x0020, 0x000E, "UI", f"{UID_ROOT}.2"),
        element(0x0020, 0x0013, "IS", str(1000 - index)),
        element(0x0020, 0x0032, "DS", position),
        element(0x0020, 0x0037, "DS", "1\\0\\0\\0\\1\\0"),
        element(0x0020, 0x0052, "UI", f"{UID_ROOT}.4"),
        element(0x0028, 0x0002, "US", short(1)),
        element(0x0028, 0x0004, "CS", "MONOCHROME2"),
        element(0x0028, 0x0010, "US", short(rows)),
        element(0x0028, 0x0011, "US", short(columns)),
        element(0x0028, 0x0030, "DS", f"{spacing[1]:.9g}\\{spacing[0]:.9g}"),
        element(0x0028, 0x0100, "US", short(16)),
        element(0x0028, 0x0101, "US", short(16)),
        element(0x0028, 0x0102, "US", short(15)),
        element(0x0028, 0x0103, "US", short(1)),
        element(0x0028, 0x1052, "DS", "0"),
        element(0x0028, 0x1053, "DS", "1"),
        element(0x7FE0, 0x0010, "OW", pixels),
    ]
    return b"\0" * 128 + b"DICM" + meta + b"".join(data)


def flipped(slab, row_bytes):
    """The rows of one slice in reverse order."""
    return b"".join(slab[start : start + row_bytes] for start in range(len(slab) - row_bytes, -1, -row_bytes))


def main(archive, folder):
    with tarfile.open(archive, "r:gz") as tar:
        files = {Path(member.name).name: tar.extractfile(member).read() for member in tar if member.isfile()}
    case = plistlib.loads(files["main.plist"])
    slices, rows, columns = case["matrix"]["shape"]
    spacing = case["spacing"]
    origin = (-122.0215, -122.0215, 0.0)
    target = Path(folder) / "skull-ct"
    (target / "dicom").mkdir(parents=True, exist_ok=True)
    slab = rows * columns * 2
    for index in range(slices):
        pixels = flipped(files["matrix.dat"][index * slab : (index + 1) * slab], columns * 2)
        name = f"{index * 73 % slices:03d}.dcm"  # shuffled on purpose: names say nothing of positions
        (target / "dicom" / name).write_bytes(slice_file(index, pixels, rows, columns, spacing, origin))

    # The mask array has one extra plane, row and column in front that hold flags; 128 and more is inside.
    mask, out = files["mask_0.dat"], array.array("B")
    for k in range(1, slices + 1):
        for j in range(rows, 0, -1):
            start = (k * (rows + 1) + j) * (columns + 1) + 1
            out.extend(1 if value > 127 else 0 for value in mask[start : start + columns])
    header = (
        "NRRD0004\ntype: unsigned char\ndimension: 3\nspace: left-posterior-superior\n"
        f"sizes: {columns} {rows} {slices}\n"
        f"space directions: ({spacing[0]},0,0) (0,{spacing[1]},0) (0,0,{spacing[2]})\n"
        f"kinds: domain domain domain\nencoding: gzip\nspace origin: ({origin[0]},{origin[1]},{origin[2]})\n\n"
    )
    (target / "bone-mask.nrrd").write_bytes(header.encode() + gzip.compress(out.tobytes()))
    print(f"{target}: {slices} slices, bone mask of {sum(out)} voxels")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2])
