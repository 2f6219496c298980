"""Builds a wheel that holds the module and the command: the command first, then maturin does the rest."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import maturin

HERE = Path(__file__).resolve().parent
SCRIPTS = HERE / "anomaly_train.data" / "scripts"
NAME = "anomaly-train.exe" if sys.platform == "win32" else "anomaly-train"


def _build_command():
    """Builds the command, unless one was put in its place already, as the release workflow does for other platforms."""
    if os.environ.get("ANOMALY_TRAIN_COMMAND") == "built":
        return
    target = Path(os.environ.get("CARGO_TARGET_DIR", HERE.parent / "target"))
    command = ["cargo", "build", "--release", "--locked", "--bin", "anomaly-train", "--target-dir", str(target)]
    subprocess.run(command, cwd=HERE.parent, check=True, stdout=sys.stderr)
    SCRIPTS.mkdir(parents=True, exist_ok=True)
    shutil.copy2(target / "release" / NAME, SCRIPTS / NAME)


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    _build_command()
    return maturin.build_wheel(wheel_directory, config_settings, metadata_directory)


def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    _build_command()
    return maturin.build_editable(wheel_directory, config_settings, metadata_directory)


build_sdist = maturin.build_sdist
get_requires_for_build_wheel = maturin.get_requires_for_build_wheel
get_requires_for_build_editable = maturin.get_requires_for_build_editable
get_requires_for_build_sdist = maturin.get_requires_for_build_sdist
prepare_metadata_for_build_wheel = maturin.prepare_metadata_for_build_wheel
prepare_metadata_for_build_editable = maturin.prepare_metadata_for_build_editable
