#!/usr/bin/env python3
"""Whole-mask operations beside SimpleITK, on the same image in the same run.

usage: segment.py MAQUETTE_BINARY IMAGE [RUNS]

IMAGE is a NIfTI or NRRD file, or a folder with one DICOM series. Needs: pip install SimpleITK numpy.
Prints for each operation both times (medians, wall and CPU of all threads) and their ratio, and whether the results are
the same voxels. SimpleITK runs with 2 threads. Exit code 1 when a result differs; times decide nothing.
"""

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time

import numpy
import SimpleITK as sitk

LOWER, UPPER = 226, 3071


def read(path):
    if os.path.isdir(path):
        reader = sitk.ImageSeriesReader()
        reader.SetFileNames(reader.GetGDCMSeriesFileNames(path))
        return reader.Execute()
    return sitk.ReadImage(path)


def cpu_ms():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return (usage.ru_utime + usage.ru_stime) * 1e3


def timed(runs, work):
    walls, cpus, result = [], [], None
    for _ in range(runs):
        result = None
        cpu, wall = cpu_ms(), time.perf_counter()
        result = work()
        walls.append((time.perf_counter() - wall) * 1e3)
        cpus.append(cpu_ms() - cpu)
    return result, statistics.median(walls), statistics.median(cpus)


def ours_as_mask(binary, path, options):
    """The mask that `maquette segment` writes, read by SimpleITK."""
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "ours.seg.nrrd")
        command = [binary, "segment", path, "--threshold", f"{LOWER}..{UPPER}", "--out", out, *options]
        subprocess.run(command, check=True, capture_output=True)
        return sitk.ReadImage(out)


def ball(image, radius_mm):
    """The voxels within a radius in mm, as a kernel of SimpleITK's and as its half size."""
    spacing = numpy.array(image.GetSpacing())
    half = numpy.floor(radius_mm / spacing + 1e-9).astype(int)
    return [int(n) for n in half]


def closed_by_distance(mask, radius_mm):
    """Closing with the exact ball in mm: SimpleITK's kernels are balls in voxels, so it is done by its distances."""
    margin = [n + 1 for n in ball(mask, radius_mm)]
    padded = sitk.ConstantPad(mask, margin, margin, 0)
    limit = radius_mm * (1 + 1e-6)
    away = lambda image: sitk.SignedMaurerDistanceMap(image, False, False, True)
    grown = away(padded) <= limit
    back = away(sitk.Not(grown)) > limit
    return sitk.Crop(back, margin, margin)


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    binary, path = sys.argv[1:3]
    runs = int(sys.argv[3]) if len(sys.argv) > 3 else 3
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(2)
    image = read(path)
    command = [binary, "bench", "segment", "--input", path, "--json", "--runs", str(runs)]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    ours = {row["case"]: row for row in map(json.loads, lines)}
    different = []

    def compare(case, theirs_wall, theirs_cpu, same):
        row = ours[case]
        ratio = theirs_cpu / max(row["cpu_ms"], 1e-3)
        print(f"{case:22} ours {row['wall_ms']:9.1f} wall {row['cpu_ms']:9.1f} cpu   "
              f"SimpleITK {theirs_wall:9.1f} wall {theirs_cpu:9.1f} cpu   {ratio:7.1f} x cpu   "
              f"{'same' if same else 'DIFFERENT'}")
        if not same:
            different.append(case)

    def same_voxels(theirs, options):
        # A copy: a view would outlive its image.
        mine = sitk.GetArrayFromImage(ours_as_mask(binary, path, options))
        return numpy.array_equal(mine != 0, sitk.GetArrayViewFromImage(theirs) != 0)

    mask, wall, cpu = timed(runs, lambda: sitk.BinaryThreshold(image, LOWER, UPPER))
    compare("segment/threshold", wall, cpu, same_voxels(mask, []))

    labels, wall, cpu = timed(runs, lambda: sitk.ConnectedComponent(mask))
    sizes = numpy.bincount(sitk.GetArrayViewFromImage(labels).ravel())[1:]
    largest = labels == int(numpy.argmax(sizes)) + 1
    made = ours["segment/parts"]["produced"]
    same = made == {"parts": len(sizes), "largest": int(sizes.max())} and same_voxels(largest, ["--largest"])
    compare("segment/parts", wall, cpu, same)

    filled, wall, cpu = timed(runs, lambda: sitk.BinaryFillhole(mask))
    compare("segment/fill-holes", wall, cpu, same_voxels(filled, ["--fill-holes"]))

    radius_mm = ours["segment/close"]["produced"]["radius_mm"]
    _, wall, cpu = timed(1, lambda: sitk.BinaryMorphologicalClosing(mask, ball(image, radius_mm), sitk.sitkBall))
    same = same_voxels(closed_by_distance(mask, radius_mm), ["--close", repr(radius_mm)])
    compare("segment/close", wall, cpu, same)

    if "segment/distance" in ours:
        # Maurer's map measures to the border of the mask: inside to its outermost voxels. Outside it is ours; inside, the
        # map of the complement is.
        away = lambda of: sitk.SignedMaurerDistanceMap(of, False, False, True)
        outside, wall, cpu = timed(1, lambda: away(mask))
        total = sum(float(numpy.maximum(sitk.GetArrayViewFromImage(each), 0).sum(dtype=numpy.float64))
                    for each in (outside, away(sitk.Not(mask))))
        found = ours["segment/distance"]["produced"]["sum_mm"]
        compare("segment/distance", wall, cpu, abs(found - total) <= 1e-5 * total)

    def by_itk():
        found = sitk.LabelStatisticsImageFilter()
        found.Execute(image, mask)
        return found

    found, wall, cpu = timed(runs, by_itk)
    values = ours["segment/statistics"]["produced"]["samples"]
    near = lambda a, b: abs(a - b) <= 1e-6 * max(1.0, abs(b))
    same = (values["count"] == found.GetCount(1) and near(values["mean"], found.GetMean(1))
            and near(values["sd"], found.GetSigma(1)) and values["min"] == found.GetMinimum(1)
            and values["max"] == found.GetMaximum(1))
    compare("segment/statistics", wall, cpu, same)
    if different:
        sys.exit(f"different: {', '.join(different)}")


if __name__ == "__main__":
    main()
