#!/usr/bin/env python3
"""Builds the wheel for another platform, with the command in it.

usage: build_wheel.py --target TARGET --out FOLDER [--zig] [options of `maturin build`]        (pip install "maturin[zig]")

`pip install ./python` does the same for this platform, without zig.
"""

import argparse
import os
import shutil
import subprocess
import sys

import build_backend as backend


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--target", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--zig", action="store_true")
    args, rest = parser.parse_known_args()
    out = os.path.abspath(args.out)
    os.chdir(backend.HERE)
    build = "zigbuild" if args.zig else "build"
    # manylinux2014 is glibc 2.17.
    target = args.target + (".2.17" if args.zig and args.target.endswith("-gnu") else "")
    subprocess.run(["cargo", build, "--release", "--locked", "--bin", "anomaly-train", "--target", target], cwd=backend.HERE.parent, check=True)
    name = "anomaly-train.exe" if "windows" in args.target else "anomaly-train"
    backend.SCRIPTS.mkdir(parents=True, exist_ok=True)
    shutil.copy2(backend.HERE.parent / "target" / args.target / "release" / name, backend.SCRIPTS / name)
    backend.lay_pages()
    zig = ["--zig"] if args.zig else []
    subprocess.run([sys.executable, "-m", "maturin", "build", "--release", "--target", args.target, "--out", out, *zig, *rest], check=True)


if __name__ == "__main__":
    main()
