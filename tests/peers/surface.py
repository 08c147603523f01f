#!/usr/bin/env python3
"""Isosurfaces with normals: Maquette beside VTK's vtkFlyingEdges3D with two threads, same data, in turn.

    tests/peers/surface.py MAQUETTE [SERIES_FOLDER:ISO ...] [--rounds 5]

Without series it makes the 512x512x300 phantom with MAQUETTE and takes the value 300. Needs network on the first run, to
install VTK into a virtual environment. Each round runs VTK, then Maquette, on a machine that may be busy: read the ratios,
not the times. Also checks that both find the same triangles once VTK's volume is padded as ours is.
Figures of one run of one machine; never part of pass or fail.
"""
import argparse, json, os, pathlib, statistics, subprocess, sys, tempfile, time

PACKAGES = ["vtk", "numpy", "pydicom"]
# VTK's default is one thread; read when VTK starts.
os.environ["VTK_SMP_BACKEND_IN_USE"] = "STDThread"
os.environ["VTK_SMP_MAX_THREADS"] = "2"


def in_environment():
    """Re-runs this script inside a virtual environment that has VTK."""
    try:
        import vtk, numpy, pydicom  # noqa: F401
        return
    except ImportError:
        pass
    home = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "maquette-peers"
    python = home / "bin" / "python"
    if pathlib.Path(sys.prefix) != home or not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
    subprocess.run([str(python), "-m", "pip", "install", "-q", *PACKAGES], check=True)
    os.execv(str(python), [str(python), *sys.argv])


def load(series):
    """Samples in slice order, k slowest."""
    import numpy as np, pydicom
    files = [path for path in pathlib.Path(series).rglob("*") if path.is_file() and path.suffix not in (".json", ".nrrd")]
    slices = [pydicom.dcmread(path) for path in files]
    slices.sort(key=lambda s: float(s.ImagePositionPatient[2]))
    stack = [s.pixel_array.astype(np.int32) * int(s.RescaleSlope) + int(s.RescaleIntercept) for s in slices]
    return np.ascontiguousarray(np.stack(stack).astype(np.int16))


def image_of(samples):
    import vtk
    from vtk.util.numpy_support import numpy_to_vtk
    image = vtk.vtkImageData()
    image.SetDimensions(*samples.shape[::-1])
    image.GetPointData().SetScalars(numpy_to_vtk(samples.ravel(), deep=0))
    return image


def vtk_surface(image, iso):
    """Wall and CPU ms, and the number of triangles. Half a unit up, so that no vertex lies on a voxel."""
    import vtk
    filter = vtk.vtkFlyingEdges3D()
    filter.SetInputData(image)
    filter.SetValue(0, iso + 0.5)
    filter.ComputeNormalsOn()
    filter.ComputeGradientsOff()
    filter.ComputeScalarsOff()
    wall, cpu = time.perf_counter(), time.process_time()
    filter.Update()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return wall * 1e3, cpu * 1e3, filter.GetOutput().GetNumberOfPolys()


def our_rows(maquette, series, iso, backend):
    command = [maquette, "bench", "surface", "--input", series, "--iso", str(iso), "--backend", backend]
    done = subprocess.run([*command, "--runs", "3", "--json"], capture_output=True, text=True)
    if done.returncode != 0:
        print(f"  {backend}: {done.stderr.strip()}")
        return []
    return [json.loads(line) for line in done.stdout.splitlines()]


def compare(maquette, series, iso, rounds):
    import numpy as np
    samples = load(series)
    image = image_of(samples)
    padded = np.pad(samples, 1, constant_values=-32768)
    ours, peer = {}, []
    vtk_surface(image, iso)
    for _ in range(rounds):
        peer.append(statistics.median(vtk_surface(image, iso)[0] for _ in range(3)))
        cpu = vtk_surface(image, iso)[1]
        for backend in ("cpu", "gpu"):
            for row in our_rows(maquette, series, iso, backend):
                if "triangles" in row["produced"]:
                    ours.setdefault((row["case"], row["backend"]), []).append((peer[-1], cpu, row))
    print(f"{series} at {iso}: VTK {statistics.median(peer):.1f} ms wall, {vtk_surface(image, iso)[2]} triangles, "
          f"padded {vtk_surface(image_of(padded), iso)[2]}")
    for (case, backend), found in ours.items():
        wall = statistics.median(vtk_wall / row["wall_ms"] for vtk_wall, _, row in found)
        cpu = statistics.median(vtk_cpu / row["cpu_ms"] for _, vtk_cpu, row in found)
        ms = statistics.median(row["wall_ms"] for *_, row in found)
        print(f"  {case:<34} {backend:<40} {ms:8.1f} ms wall  {wall:5.2f} x VTK wall  {cpu:5.2f} x VTK CPU  "
              f"{found[0][2]['produced']['triangles']} triangles")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("maquette")
    parser.add_argument("series", nargs="*", help="SERIES_FOLDER:ISO")
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    in_environment()
    import vtk
    tools = vtk.vtkSMPTools
    print(f"VTK {vtk.vtkVersion().GetVTKVersion()}, {tools.GetBackend()}, {tools.GetEstimatedNumberOfThreads()} threads")
    for item in args.series:
        folder, _, iso = item.rpartition(":")
        compare(args.maquette, folder, float(iso), args.rounds)
    if not args.series:
        with tempfile.TemporaryDirectory() as folder:
            command = [args.maquette, "phantom", "--dicom", folder, "--size", "512x512x300"]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            compare(args.maquette, folder, 300.0, args.rounds)


if __name__ == "__main__":
    main()
