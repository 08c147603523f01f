#!/usr/bin/env python3
"""Volume frames: Maquette beside VTK's GPU ray-cast mapper, same data, camera, transfer function, shading and step.

    tests/peers/render.py MAQUETTE SERIES_FOLDER [--runs 3] [--presets CT-Bone,CT-Cardiac3] [--fixed-point]

Needs a display (run under xvfb-run on a machine without one; VTK then draws with Mesa's software OpenGL) and network on
the first run, to install VTK into a virtual environment beside this script's cache. Prints wall and CPU ratios and PSNR.
Figures of one run of one machine; never part of pass or fail.
"""
import argparse, json, os, pathlib, subprocess, sys, tempfile, time

PACKAGES = ["vtk", "numpy", "pillow", "pydicom"]
VIEW, SIZE = "lao30/cran20", (800, 600)  # as in src/cli/bench/render.rs


def in_environment():
    """Re-runs this script inside a virtual environment that has VTK."""
    try:
        import vtk, numpy, PIL, pydicom  # noqa: F401
        return
    except ImportError:
        pass
    home = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "maquette-peers"
    python = home / "bin" / "python"
    if os.environ.get("MAQUETTE_PEERS_VENV") or not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "-q", *PACKAGES], check=True)
    os.execv(str(python), [str(python), *sys.argv])


def ours(maquette, series, preset, folder):
    """Our picture, and the camera that it was taken with."""
    out = pathlib.Path(folder) / f"{preset}.png"
    command = [maquette, "render", series, "--preset", preset, "--view", VIEW, "--size", "%dx%d" % SIZE]
    record = subprocess.run([*command, "--plain", "--json", "--backend", "gpu", "--out", str(out)],
                            check=True, capture_output=True, text=True)
    return json.loads(record.stdout), out


def our_timings(maquette, series, runs):
    """Rows of our bench by case."""
    command = [maquette, "bench", "render", "--input", series, "--backend", "gpu", "--json", "--runs", str(runs)]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    return {row["case"]: row for row in map(json.loads, lines)}


def load(series):
    """The series as vtkImageData in patient coordinates (axis-aligned series only)."""
    import numpy as np, pydicom, vtk
    from vtk.util.numpy_support import numpy_to_vtk
    slices = []
    for path in pathlib.Path(series).rglob("*"):
        try:
            slices += [pydicom.dcmread(path)] if path.is_file() else []
        except pydicom.errors.InvalidDicomError:
            pass  # the phantom's truth lies beside its slices
    slices.sort(key=lambda s: float(s.ImagePositionPatient[2]))
    samples = np.stack([s.pixel_array.astype(np.int32) * int(s.RescaleSlope) + int(s.RescaleIntercept) for s in slices])
    samples = np.ascontiguousarray(samples.astype(np.int16))
    nk, nj, ni = samples.shape
    first, row_spacing = slices[0], [float(v) for v in slices[0].PixelSpacing]
    thickness = (float(slices[-1].ImagePositionPatient[2]) - float(first.ImagePositionPatient[2])) / max(nk - 1, 1)
    image = vtk.vtkImageData()
    image.SetDimensions(ni, nj, nk)
    image.SetSpacing(row_spacing[1], row_spacing[0], thickness)
    image.SetOrigin(*[float(v) for v in first.ImagePositionPatient])
    array = numpy_to_vtk(samples.ravel(), deep=True)
    image.GetPointData().SetScalars(array)
    return image


def theirs(image, preset, record, runs, fixed_point):
    """VTK's picture and its wall and CPU times in ms."""
    import vtk
    from vtk.util.numpy_support import vtk_to_numpy
    opacity, color = vtk.vtkPiecewiseFunction(), vtk.vtkColorTransferFunction()
    for value, alpha in preset["opacity"]:
        opacity.AddPoint(value, alpha)
    for value, text in preset["color"]:
        color.AddRGBPoint(value, *[int(text[n:n + 2], 16) / 255 for n in (1, 3, 5)])
    shading = preset["shading"]
    look = vtk.vtkVolumeProperty()
    look.SetScalarOpacity(opacity)
    look.SetColor(color)
    look.SetInterpolationTypeToLinear()
    look.SetScalarOpacityUnitDistance(1.0)
    look.SetShade(bool(shading["shade"]))
    look.SetAmbient(shading["ambient"])
    look.SetDiffuse(shading["diffuse"])
    look.SetSpecular(shading["specular"])
    look.SetSpecularPower(shading["power"])
    mapper = vtk.vtkFixedPointVolumeRayCastMapper() if fixed_point else vtk.vtkOpenGLGPUVolumeRayCastMapper()
    mapper.SetInputData(image)
    mapper.SetAutoAdjustSampleDistances(0)
    mapper.SetSampleDistance(record["step_mm"])
    if fixed_point:
        mapper.SetImageSampleDistance(1.0)
        mapper.SetInteractiveSampleDistance(record["step_mm"])
    else:
        mapper.SetUseJittering(0)
        mapper.SetMaxMemoryInBytes(8 << 30)
        mapper.SetMaxMemoryFraction(1.0)
    volume = vtk.vtkVolume()
    volume.SetMapper(mapper)
    volume.SetProperty(look)
    renderer = vtk.vtkRenderer()
    renderer.AddVolume(volume)
    window = vtk.vtkRenderWindow()
    window.SetOffScreenRendering(1)
    window.SetMultiSamples(0)
    window.SetSize(*SIZE)
    window.AddRenderer(renderer)
    camera = renderer.GetActiveCamera()
    camera.SetPosition(*record["eye_in_patient"])
    camera.SetFocalPoint(*record["focus_in_patient"])
    camera.SetViewUp(*record["up_in_patient"])
    camera.SetViewAngle(record["view_angle_deg"])
    renderer.ResetCameraClippingRange()
    window.Render()  # compiles and uploads
    wall, cpu = [], []
    for _ in range(runs):
        mapper.Modified()
        cpu_before, begin = time.process_time(), time.perf_counter()
        window.Render()
        window.WaitForCompletion()
        wall.append((time.perf_counter() - begin) * 1e3)
        cpu.append((time.process_time() - cpu_before) * 1e3)
    grab = vtk.vtkWindowToImageFilter()
    grab.SetInput(window)
    grab.ReadFrontBufferOff()
    grab.Update()
    pixels = vtk_to_numpy(grab.GetOutput().GetPointData().GetScalars()).reshape(SIZE[1], SIZE[0], 3)[::-1]
    return pixels, sorted(wall)[len(wall) // 2], sorted(cpu)[len(cpu) // 2]


def psnr_db(a, b):
    import numpy as np
    mean = ((a.astype(float) - b.astype(float)) ** 2).mean()
    return float("inf") if mean == 0 else 10 * np.log10(255 * 255 / mean)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("maquette")
    parser.add_argument("series")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--presets", default="CT-Bone,CT-Cardiac3")
    parser.add_argument("--fixed-point", action="store_true", help="VTK's CPU mapper instead")
    args = parser.parse_args()
    in_environment()
    os.environ.setdefault("LIBGL_ALWAYS_SOFTWARE", "1")
    import numpy as np
    from PIL import Image
    assets = pathlib.Path(__file__).resolve().parents[2] / "assets" / "transfer-functions.json"
    presets = {preset["name"]: preset for preset in json.loads(assets.read_text())["presets"]}
    image = load(args.series)
    print(f"{'case':<22} {'VTK wall':>9} {'cpu':>8} {'ours wall':>10} {'cpu':>8} {'ratio wall':>11} {'cpu':>6} {'PSNR dB':>8}")
    with tempfile.TemporaryDirectory() as folder:
        for name in args.presets.split(","):
            record, path = ours(args.maquette, args.series, name, folder)
            before = our_timings(args.maquette, args.series, args.runs)
            pixels, wall, cpu = theirs(image, presets[name], record, args.runs, args.fixed_point)
            row = before[f"render/{name} {SIZE[0]}x{SIZE[1]}"]
            same = psnr_db(np.asarray(Image.open(path).convert("RGB")), pixels)
            print(f"{name:<22} {wall:9.0f} {cpu:8.0f} {row['wall_ms']:10.0f} {row['cpu_ms']:8.0f} "
                  f"{wall / row['wall_ms']:11.1f} {cpu / row['cpu_ms']:6.1f} {same:8.1f}", flush=True)
            for case, other in before.items():
                if name in case and case != f"render/{name} {SIZE[0]}x{SIZE[1]}":
                    print(f"  ours {case}: {other['wall_ms']:.0f} ms wall, {other['cpu_ms']:.0f} cpu, {other['produced']}")


if __name__ == "__main__":
    main()
