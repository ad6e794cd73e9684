"""`python -m fastdeploy_moe`: what it prints, and its exit status where there is no Paddle, or two, or one that does not import."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from fastdeploy_moe.installation import DISTRIBUTIONS, find_paddle
from tests.running import CHECKOUT, environment, write

INSTALL = 'install one: pip install "sigcheck[moe-cpu]" or pip install "sigcheck[moe-gpu]"'

needs_paddle = pytest.mark.skipif(importlib.util.find_spec("paddle") is None, reason="Paddle is not installed")


def _run(
    site: Path | None = None, *, alone: bool = False, code: str = "", **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run the program, with the packages in `site` first on the path; `alone`, without any other installed package."""
    path = f"{CHECKOUT}" if site is None else f"{site}:{CHECKOUT}"
    options = ["-S"] if alone else []
    what = ["-c", code] if code else ["-m", "fastdeploy_moe"]
    done = subprocess.run(
        [sys.executable, *options, *what],
        env=environment(PYTHONPATH=path, PYTHONWARNINGS="default", **variables),
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done


def _refusal(site: Path | None = None) -> str:
    """The one line on standard error of a run that ends with status 2 and prints nothing."""
    done = _run(site, alone=True)
    assert (done.returncode, done.stdout) == (2, ""), (done.stdout, done.stderr)
    [line] = done.stderr.splitlines()
    assert line.startswith("fastdeploy_moe: ")
    return line.removeprefix("fastdeploy_moe: ")


def _site(directory: Path, *, paddle: str = "", **versions: str) -> Path:
    """A directory of installed packages: metadata of distributions, and a package `paddle` of that source."""
    files: dict[str, str | bytes] = {"paddle/__init__.py": paddle, "setuptools/__init__.py": ""}
    for name, version in versions.items():
        metadata = f"Metadata-Version: 2.1\nName: {name.replace('_', '-')}\nVersion: {version}\n"
        files[f"{name}-{version}.dist-info/METADATA"] = metadata
    return write(directory, files)


def test_without_paddle_one_line_says_what_to_install() -> None:
    assert _refusal() == f"Paddle is not installed; {INSTALL}"


def test_with_two_paddles_one_line_says_what_to_remove(tmp_path: Path) -> None:
    both = _site(tmp_path, paddle="raise SystemError('half of each')", paddlepaddle="3.3.1", paddlepaddle_gpu="2.6.2")
    assert _refusal(both) == (
        "paddlepaddle 3.3.1 and paddlepaddle-gpu 2.6.2 are both installed and overwrite one another: "
        f"pip uninstall -y paddlepaddle paddlepaddle-gpu, then {INSTALL}"
    )


def test_what_paddle_does_not_declare_is_asked_for(tmp_path: Path) -> None:
    site = _site(tmp_path, paddlepaddle_gpu="2.6.2", numpy="2.3.0")
    assert _refusal(site) == 'paddlepaddle-gpu 2.6.2 does not work with numpy 2.3.0: pip install "numpy<2"'
    (site / "setuptools" / "__init__.py").unlink()
    (site / "setuptools").rmdir()
    assert _refusal(site) == "paddlepaddle-gpu imports setuptools without declaring it: pip install setuptools"


def test_a_paddle_that_does_not_import_says_why(tmp_path: Path) -> None:
    site = _site(tmp_path, paddle="raise OSError('libcudart.so.11.0:\\n  no such file')", paddlepaddle_gpu="2.6.2")
    assert _refusal(site) == "paddlepaddle-gpu 2.6.2 cannot be imported: libcudart.so.11.0: no such file"


def test_a_paddle_that_is_none_says_so(tmp_path: Path) -> None:
    another = _site(tmp_path / "another")
    file = another / "paddle" / "__init__.py"
    assert _refusal(another) == f"{file} is another package than Paddle; {INSTALL}"
    file.rename(file.with_name("left.py"))
    assert _refusal(another) == f"Paddle is not installed, {file.parent} is no package; {INSTALL}"


def test_a_paddle_without_its_files_is_to_be_installed_again(tmp_path: Path) -> None:
    """`pip uninstall` of one of two takes the files of the other."""
    site = _site(tmp_path, paddlepaddle="3.3.1")
    again = "paddlepaddle 3.3.1 has lost its files: pip install --force-reinstall paddlepaddle==3.3.1"
    assert _refusal(site) == again
    (site / "paddle" / "__init__.py").rename(site / "paddle" / "left.py")
    assert _refusal(site) == again


@pytest.mark.parametrize(
    ("distributions", "message"),
    [
        ({}, f"Paddle is not installed; {INSTALL}"),
        ({"paddlepaddle": "3.3.1"}, "paddlepaddle 3.3.1 cannot be imported: no such file"),
    ],
)
def test_the_library_says_the_same(tmp_path: Path, distributions: dict[str, str], message: str) -> None:
    code = """if True:
        import fastdeploy_moe
        for use in (lambda: fastdeploy_moe.get_moe_method("cutlass"), lambda: fastdeploy_moe.FusedMoE):
            try:
                use()
            except fastdeploy_moe.PaddleUnavailableError as error:
                print(error)
    """
    site = _site(tmp_path, paddle="raise OSError('no such file')", **distributions) if distributions else tmp_path
    done = _run(site, alone=True, code=code)
    assert (done.returncode, done.stdout.splitlines()) == (0, [message] * 2), done.stderr


@needs_paddle
def test_the_report_and_the_self_check() -> None:
    done = _run(FASTDEPLOY_MOE_OPS="auto")
    assert (done.returncode, done.stderr) == (0, "")
    paddle = find_paddle()
    lines = done.stdout.splitlines()
    assert paddle.distribution in DISTRIBUTIONS
    assert lines[1] == f"{paddle.distribution} {paddle.version}, on cpu"
    assert lines[2] == "operators: FASTDEPLOY_MOE_OPS=auto, FastDeploy is not installed"
    assert any(line.split()[:3] == ["cutlass", "CutlassMoEMethod", "yes"] and line.endswith("yes") for line in lines)
    assert any(line.startswith("nvfp4 ") and line.endswith("are not in this package") for line in lines)
    cases = [line for line in lines if " of at most " in line]
    assert len(cases) == 24
    assert all(line.endswith("  ok") for line in cases)


@needs_paddle
def test_a_reader_who_has_seen_enough() -> None:
    command = [sys.executable, "-W", "ignore", "-m", "fastdeploy_moe"]
    with subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert b"BrokenPipe" not in process.stderr.read()
    assert process.returncode == 0


@needs_paddle
@pytest.mark.parametrize("projection", ["fc1_latent_proj", "fc2_latent_proj"])
def test_a_back_end_that_forgets_fails_the_self_check(projection: str) -> None:
    code = f"""if True:
        import warnings
        warnings.simplefilter("ignore")
        from fastdeploy_moe import CutlassMoEMethod, __main__
        honest = CutlassMoEMethod.apply_tp
        def forgets(self, layer, x, gate, **given):
            if given[{projection!r}] is not None:
                given[{projection!r}] = lambda x: x[:, :8]
            return honest(self, layer, x, gate, **given)
        CutlassMoEMethod.apply_tp = forgets
        raise SystemExit(__main__.main())
    """
    done = _run(code=code)
    assert done.returncode == 1
    assert done.stderr == "16 of 24 cases failed\n"
    assert done.stdout.count("  FAILED") == 16


@needs_paddle
def test_operators_that_cannot_run_fail_the_self_check_with_the_reason() -> None:
    done = _run(FASTDEPLOY_MOE_OPS="cuda")
    assert (done.returncode, done.stderr) == (1, "24 of 24 cases failed\n")
    assert (
        done.stdout.count("ValueError: FASTDEPLOY_MOE_OPS='cuda': choose one of auto, paddle, fastdeploy  FAILED") == 24
    )
