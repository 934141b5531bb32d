"""Builds an Elasticsearch node once out of its published parts, into the cache folder; offline afterwards."""

from __future__ import annotations

import fcntl
import functools
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from string import Template

from . import machine
from .process import Unavailable

SOURCES = Path(__file__).parent / "elasticsearch"
VERSION = re.search(r"<elasticsearch.version>(.*?)</", (SOURCES / "pom.xml").read_text())[1]  # type: ignore[index]
MAVEN_SECONDS = 400
PLUGINS = {"transport-netty4": "org.elasticsearch.transport.netty4.Netty4Plugin", "local": "local.LocalPlugin"}
CURE = "解决办法：检查网络后重试，或在别处启动 Elasticsearch 8 并设置 SEARCH_URL。"


def _major(java: Path) -> int:
    try:
        text = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=20, check=True).stderr
    except (OSError, subprocess.SubprocessError):
        return 0
    found = re.search(r'version "(\d+)', text)
    return int(found[1]) if found else 0


def _find_jdk() -> Path | None:
    """The folder of a JDK from 17 to 24, 17 first: on 25 native access fails."""
    folders = [*sorted(Path("/usr/lib/jvm").glob("java-17-*")), Path(os.environ.get("JAVA_HOME") or "/nowhere")]
    if java := shutil.which("javac"):
        folders.append(Path(java).resolve().parent.parent)
    for folder in folders:
        if (folder / "bin/javac").exists() and 17 <= _major(folder / "bin/java") < 25:
            return folder
    return None


@functools.cache
def jdk() -> Path:
    """Give the JDK's folder, installing it where we may; raises Unavailable."""
    if not (found := _find_jdk()):
        machine.apt("Java 17", "openjdk-17-jdk-headless")
        if not (found := _find_jdk()):
            raise Unavailable("装了 openjdk-17-jdk-headless，却找不到 Java 17。设 JAVA_HOME 后重试。")
    return found


def _stamp() -> str:
    digest = hashlib.sha256()
    for path in sorted(SOURCES.iterdir()):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def home() -> Path:
    """Where the build for these sources lies or will lie: one folder a version of them, never changed once there."""
    return machine.cache_folder() / f"elasticsearch-{VERSION}" / _stamp()


def install() -> Path:
    """Give the folder with `lib`, `modules` and `launcher`, building it first where it is missing.

    Raises Unavailable where Java, Maven or the artifacts cannot be had.
    """
    target = home()
    if target.exists():
        jdk()
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with (target.parent / "lock").open("w") as lock:
        # Two runs that both find nothing: the second waits and takes what the first built.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.exists():
            _build(target)
    return target


def _build(target: Path) -> None:
    java = jdk()
    if not shutil.which("mvn"):
        machine.apt("Maven", "maven")
    with tempfile.TemporaryDirectory(dir=target.parent, prefix="building-") as scratch:
        work = Path(scratch)
        shutil.copy(SOURCES / "pom.xml", work)
        _fetch(work, java)
        made = work / "target"
        _compile(java, made, SOURCES / "Launcher.java", made / "launcher")
        _compile(java, made, SOURCES / "LocalPlugin.java", work / "plugin")
        # In a jar of its own module: on the class path the node would not take it for a plugin.
        (made / "modules/local").mkdir()
        _call([java / "bin/jar", "cf", made / "modules/local/local.jar", "-C", work / "plugin", "."], 60)
        template = Template((SOURCES / "plugin-descriptor.properties").read_text())
        for name, classname in PLUGINS.items():
            text = template.substitute(name=name, description=name, classname=classname, version=VERSION)
            (made / "modules" / name / "plugin-descriptor.properties").write_text(text)
        shutil.copy(SOURCES / "log4j2.properties", made)
        made.rename(target)


def _fetch(work: Path, java: Path) -> None:
    """Copy the jars by Maven: from the network, or from what Maven kept where there is none."""
    environment = {**os.environ, "JAVA_HOME": str(java)}
    for more in ([], ["-o"]):
        try:
            _call(["mvn", "-B", "-q", "-ntp", *more, "package"], MAVEN_SECONDS, cwd=work, env=environment)
            return
        except Unavailable as failure:
            last = failure
    raise last


def _compile(java: Path, made: Path, source: Path, out: Path) -> None:
    out.mkdir(parents=True)
    _call([java / "bin/javac", "-nowarn", "-cp", f"{made}/lib/*", "-d", out, source], 120)


def _call(command: list, seconds: int, **more) -> None:
    try:
        done = subprocess.run(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=seconds,
            text=True,
            check=False,
            **more,
        )
    except subprocess.TimeoutExpired as failure:
        raise Unavailable(f"准备 Elasticsearch 超过 {seconds} 秒：{command[0]}。{CURE}") from failure
    if done.returncode:
        said = "\n".join(done.stdout.strip().splitlines()[-5:])
        raise Unavailable(f"Elasticsearch 没有准备好（{command[0]}）：\n{said}\n{CURE}")
