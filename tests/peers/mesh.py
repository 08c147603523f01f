#!/usr/bin/env python3
"""Smoothing: Maquette beside VTK's vtkWindowedSincPolyDataFilter, each on its own 300 HU surface of the same series.

    tests/peers/mesh.py MAQUETTE SERIES_FOLDER [--runs 5]

VTK runs with 20 iterations and pass band 0.1, as we do, and needs network on the first run, to be installed into a virtual
environment. Prints wall and CPU ratios by triangle and what VTK did to the volume. Axis-aligned series only.
Figures of one run of one machine; never part of pass or fail.
"""
import argparse, json, os, pathlib, resource, statistics, subprocess, sys, time

PACKAGES = ["vtk", "numpy", "pydicom"]


def in_environment():
    """Re-runs this script inside a virtual environment that has VTK."""
    try:
        import vtk, numpy, pydicom  # noqa: F401
        return
    except ImportError:
        pass
    if os.environ.get("MAQUETTE_PEERS_TRIED"):
        sys.exit("the virtual environment lacks " + ", ".join(PACKAGES))
    home = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "maquette-peers"
    python = home / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
    subprocess.run([str(python), "-m", "pip", "install", "-q", *PACKAGES], check=True)
    os.environ["MAQUETTE_PEERS_TRIED"] = "1"
    os.execv(str(python), [str(python), *sys.argv])


def surface(series):
    """The 300 HU surface by VTK, the volume padded with air so that it is closed."""
    import numpy as np, pydicom, vtk
    from vtk.util.numpy_support import numpy_to_vtk
    slices = [pydicom.dcmread(path) for path in pathlib.Path(series).rglob("*.dcm")]
    slices.sort(key=lambda s: float(s.ImagePositionPatient[2]))
    samples = np.stack([s.pixel_array * float(s.RescaleSlope) + float(s.RescaleIntercept) for s in slices])
    samples = np.pad(samples.astype(np.int16), 1, constant_values=-1024)
    nk, nj, ni = samples.shape
    row, column = (float(v) for v in slices[0].PixelSpacing)
    heights = [float(s.ImagePositionPatient[2]) for s in slices]
    image = vtk.vtkImageData()
    image.SetDimensions(ni, nj, nk)
    image.SetSpacing(column, row, (heights[-1] - heights[0]) / max(len(heights) - 1, 1))
    image.GetPointData().SetScalars(numpy_to_vtk(samples.ravel(), deep=True))
    edges = vtk.vtkFlyingEdges3D()
    edges.SetInputData(image)
    edges.SetValue(0, 300.5)
    edges.ComputeNormalsOff()
    edges.Update()
    return edges.GetOutput()


def volume_of(mesh):
    import vtk
    mass = vtk.vtkMassProperties()
    mass.SetInputData(mesh)
    return mass.GetVolume()


def theirs(series, runs):
    import vtk
    mesh = surface(series)
    walls, cpus = [], []
    for _ in range(runs):
        smoother = vtk.vtkWindowedSincPolyDataFilter()
        smoother.SetInputData(mesh)
        smoother.SetNumberOfIterations(20)
        smoother.SetPassBand(0.1)
        smoother.BoundarySmoothingOff()
        smoother.NormalizeCoordinatesOn()
        before, begin = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
        smoother.Update()
        walls.append((time.perf_counter() - begin) * 1e3)
        after = resource.getrusage(resource.RUSAGE_SELF)
        cpus.append((after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1e3)
    change = (volume_of(smoother.GetOutput()) / volume_of(mesh) - 1) * 100
    return statistics.median(walls), statistics.median(cpus), mesh.GetNumberOfPolys(), change


def ours(maquette, series, runs):
    command = [maquette, "bench", "mesh", "--input", series, "--json", "--runs", str(runs)]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    row = next(row for row in map(json.loads, lines) if row["case"] == "mesh/smooth 20")
    return row["wall_ms"], row["cpu_ms"], row["produced"]["triangles"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("maquette")
    parser.add_argument("series")
    parser.add_argument("--runs", type=int, default=5)
    args = parser.parse_args()
    os.environ.setdefault("VTK_SMP_BACKEND_IN_USE", "STDThread")
    in_environment()
    our_wall, our_cpu, our_triangles = ours(args.maquette, args.series, args.runs)
    wall, cpu, triangles, change = theirs(args.series, args.runs)
    print(f"maquette: {our_wall:8.1f} ms wall {our_cpu:8.1f} ms cpu {our_triangles:9} triangles (normals included)")
    print(f"VTK:      {wall:8.1f} ms wall {cpu:8.1f} ms cpu {triangles:9} triangles, volume {change:+.3f} %")
    by_wall, by_cpu = (wall / triangles) / (our_wall / our_triangles), (cpu / triangles) / (our_cpu / our_triangles)
    print(f"VTK / maquette, by triangle: wall {by_wall:.2f}, cpu {by_cpu:.2f}")


if __name__ == "__main__":
    main()
