#!/usr/bin/env python3
"""Asks whether Maquette's research formats mean the same to others: same physical point, same value, for every voxel.

SimpleITK and nibabel write volumes (straight, oblique, left-handed, anisotropic, sheared; of several number formats);
`maquette convert` turns each into other formats; SimpleITK and nibabel read those. Label maps make the same way with
names and colours.

Usage: formats.py MAQUETTE   (needs SimpleITK, nibabel, numpy; see requirements-import.txt beside this file)
Exit code 0 when all agree. Prints one line for each conversion.
"""
import gzip
import pathlib
import subprocess
import sys
import tempfile

import nibabel as nib
import numpy as np
import SimpleITK as sitk

SHAPE = (7, 6, 5)  # i, j, k
TOLERANCE_MM = 1e-3
TO_RAS = np.diag((-1.0, -1.0, 1.0, 1.0))


def rotation(axis, degrees):
    axis = np.array(axis, float) / np.linalg.norm(axis)
    k = np.array(((0, -axis[2], axis[1]), (axis[2], 0, -axis[0]), (-axis[1], axis[0], 0)))
    a = np.radians(degrees)
    return np.eye(3) + np.sin(a) * k + (1 - np.cos(a)) * (k @ k)


def affine(turn, spacing):
    out = np.eye(4)
    out[:3, :3] = np.asarray(turn) @ np.diag(spacing)
    out[:3, 3] = (-131.25, 88.5, 407.0625)
    return out


def geometries():
    """Name, LPS from voxel."""
    lean = np.eye(3)
    lean[1, 2] = 0.25
    return [
        ("straight", affine(np.eye(3), (1, 1, 1))),
        ("anisotropic", affine(np.eye(3), (0.7, 0.9, 2.5))),
        ("oblique", affine(rotation((1, 2, 3), 37), (0.7, 0.9, 2.5))),
        ("half a turn", affine(rotation((1, 0.2, 0.4), 180), (0.7, 0.9, 2.5))),
        ("left-handed", affine(rotation((3, 1, 2), 20) @ np.diag((1, 1, -1)), (0.7, 0.9, 2.5))),
        ("turned axes", affine(((0, 0, -1), (1, 0, 0), (0, -1, 0)), (0.7, 0.9, 2.5))),
        ("sheared", affine(rotation((1, 2, 3), 37) @ lean, (0.7, 0.9, 2.5))),
    ]


def values(dtype):
    rng = np.random.default_rng(11)
    if np.issubdtype(dtype, np.floating):
        return (rng.random(SHAPE) * 700 - 300).astype(dtype)
    info = np.iinfo(dtype)
    return rng.integers(max(info.min, -1000), min(info.max, 60000), SHAPE).astype(dtype)


def write(path, array, lps):
    """Writes array[i, j, k]; NIfTI by nibabel, the others by SimpleITK."""
    if ".nii" in path.name:
        kind = nib.Nifti2Image if "nifti2" in path.name else nib.Nifti1Image
        image = kind(array, TO_RAS @ lps)
        image.set_sform(TO_RAS @ lps, 1)
        image.header.set_xyzt_units("mm")
        nib.save(image, path)
        return
    image = sitk.GetImageFromArray(array.transpose(2, 1, 0))
    spacing = np.linalg.norm(lps[:3, :3], axis=0)
    image.SetSpacing(spacing.tolist())
    image.SetDirection((lps[:3, :3] / spacing).ravel().tolist())
    image.SetOrigin(lps[:3, 3].tolist())
    sitk.WriteImage(image, str(path), useCompression="packed" in path.name)


def read_nibabel(path):
    image = nib.load(path)
    return np.asarray(image.get_fdata()), TO_RAS @ image.affine


def read_itk(path):
    image = sitk.ReadImage(str(path))
    lps = np.eye(4)
    lps[:3, :3] = np.array(image.GetDirection()).reshape(3, 3) @ np.diag(image.GetSpacing())
    lps[:3, 3] = image.GetOrigin()
    return sitk.GetArrayFromImage(image).transpose(2, 1, 0).astype(float), lps


def corners(lps):
    ends = [(0, n - 1) for n in SHAPE]
    return np.array([lps @ (i, j, k, 1) for i in ends[0] for j in ends[1] for k in ends[2]])[:, :3]


def convert(maquette, source, target, *options):
    done = subprocess.run([maquette, "convert", str(source), str(target), *options], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{source.name} to {target.name}: {done.stderr}{done.stdout}")


def check(name, found, lps, array, expected, failures):
    off_mm = np.abs(corners(lps) - corners(expected)).max()
    step = (array.max() - array.min()) / 65535 if np.issubdtype(array.dtype, np.floating) else 0.0
    same = found.shape == array.shape and np.abs(found - array).max() <= 0.51 * step + 1e-6 * np.abs(array).max() * bool(step)
    good = off_mm <= TOLERANCE_MM and same
    print(f"{'ok  ' if good else 'FAIL'} {name:<60} {off_mm:.6f} mm {'' if same else 'values differ'}")
    if not good:
        failures.append(name)


def volumes(maquette, folder, failures):
    sources = ("a.nii", "a.nii.gz", "nifti2.nii.gz", "a.nrrd", "packed.nrrd", "a.nhdr", "a.mha", "packed.mha", "a.mhd")
    targets = ("nii", "nii.gz", "nrrd", "nhdr", "mha", "mhd", "nii.gz --nifti2")
    dtypes = (np.int16, np.uint16, np.uint8, np.float32, np.float64, np.int32)
    turn = 0
    for shape, expected in geometries():
        for name in sources:
            array = values(dtypes[turn % len(dtypes)])
            source = folder / f"s{turn}" / name
            source.parent.mkdir()
            write(source, array, expected)
            # Every target after every source, over the geometries.
            for target in (targets[turn % len(targets)], targets[(turn + 3) % len(targets)]):
                end, *options = target.split()
                path = source.parent / f"out.{end}"
                convert(maquette, source, path, *options)
                title = f"{shape}: {name} {array.dtype} to {target}"
                if ".nii" in path.name:
                    check(f"{title}, nibabel", *read_nibabel(path), array, expected, failures)
                # ITK reads no NIfTI-2 with shear, and no NIfTI with shear at all.
                if ".nii" not in path.name or (shape != "sheared" and not options):
                    check(f"{title}, SimpleITK", *read_itk(path), array, expected, failures)
            turn += 1


TABLE = """<?xml version="1.0" encoding="UTF-8"?><CaretExtension><VolumeInformation Index="0"><LabelTable>
<Label Key="2" Red="1" Green="0.5" Blue="0" Alpha="1"><![CDATA[Aorta]]></Label>
<Label Key="5" Red="0" Green="0" Blue="1" Alpha="1"><![CDATA[Left & right]]></Label>
</LabelTable></VolumeInformation></CaretExtension>"""


def labels(maquette, folder, failures):
    _, expected = geometries()[2]
    array = np.zeros(SHAPE, np.uint8)
    array[1:4, 1:3, :] = 2
    array[5:, :, 2:] = 5
    source = folder / "labels.nii.gz"
    image = nib.Nifti1Image(array, TO_RAS @ expected)
    image.header.extensions.append(nib.nifti1.Nifti1Extension(0, TABLE.encode()))
    nib.save(image, source)
    # Our values count from 1 in the order of the table.
    renamed = np.where(array == 2, 1, np.where(array == 5, 2, 0)).astype(np.uint8)
    chain = ("labels.seg.nrrd", "labels.mha", "again.nii.gz", "again.mhd", "last.nii")
    for name in chain:
        target = folder / name
        convert(maquette, source, target, "--segments")
        read = read_nibabel if ".nii" in name else read_itk
        check(f"labels: {source.name} to {name}", *read(target), renamed, expected, failures)
        if ".nii" in name:
            head = nib.load(target).header
            assert [e.get_code() for e in head.extensions] == [30], "nibabel sees one extension, of Caret"
            opened = gzip.open(target) if name.endswith("gz") else open(target, "rb")
            said = opened.read(1500).decode(errors="replace")
            said = "Aorta" in said and "Left & right" in said and 'Red="1.000000" Green="0.501961"' in said
        else:
            meta = sitk.ReadImage(str(target))
            said = meta.GetMetaData("Segment0_Name"), meta.GetMetaData("Segment1_Name"), meta.GetMetaData("Segment0_Color")
            said = said == ("Aorta", "Left & right", "1.000000 0.501961 0.000000")
        if not said:
            failures.append(f"names and colours in {name}")
        source = target


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    failures = []
    with tempfile.TemporaryDirectory() as folder:
        volumes(sys.argv[1], pathlib.Path(folder), failures)
        labels(sys.argv[1], pathlib.Path(folder), failures)
    if failures:
        sys.exit(f"{len(failures)} conversions disagree: {', '.join(failures)}")
    print("all conversions agree")


if __name__ == "__main__":
    main()
