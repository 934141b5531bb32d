"""Runs one gate, all of them, or each sabotage in turn. Nothing that it started outlives it."""

from __future__ import annotations

import contextlib
import importlib
import shutil
import signal
import sys
import tempfile
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from .gate import CannotRun, Caught, Gate, Run, TimeUp

MODULES = ("search_death", "es_outage", "reindex_live", "task_chaos")
PASSED, FAILED, COULD_NOT = 0, 1, 2


@dataclass(frozen=True)
class Asked:
    """What the command line asked for; `engine` None: the gate's own first one."""

    name: str = ""
    all: bool = False
    list: bool = False
    seed: int = 1
    scale: float = 1.0
    db: str = "sqlite"
    engine: str | None = None
    sabotage: str = ""
    all_sabotage: bool = False
    only: str = ""
    keep: bool = False


def gates() -> dict[str, Gate]:
    """Every gate by its name, in order of their numbers."""
    found = [importlib.import_module(f"tests.gates.{name}").GATE for name in MODULES]
    return {gate.name: gate for gate in sorted(found, key=lambda gate: gate.number)}


def main(asked: Asked, out: TextIO | None = None, folder: Path | None = None) -> int:
    """Do what was asked; the exit code. `folder` is where everything is put (and stays), else a temporary one."""
    out = out or sys.stdout
    known = gates()
    if asked.list:
        for gate in known.values():
            out.write(_described(gate))
        return PASSED
    problem = _problem(asked, known)
    if problem:
        out.write(problem + "\n")
        return COULD_NOT
    scratch = folder or Path(tempfile.mkdtemp(prefix="market-gates-"))
    try:
        with _ended_by_signals():
            return _all(asked, list(known.values()) if asked.all else [known[asked.name]], scratch, out)
    except KeyboardInterrupt:
        out.write("已中断，起动的进程都已结束。\n")
        return COULD_NOT
    finally:
        if folder is None and not asked.keep:
            shutil.rmtree(scratch, ignore_errors=True)
        elif asked.keep:
            out.write(f"文件留在 {scratch}\n")


def _described(gate: Gate) -> str:
    lines = [f"{gate.number} {gate.name}（{'、'.join(gate.engines)}）：{gate.about}"]
    if gate.parts:
        lines.append(f"    --only {'|'.join(gate.parts)}")
    for engine in gate.engines:
        lines += [f"    --engine {engine} --sabotage {n}：{what}" for n, what in gate.sabotages_on(engine).items()]
    return "\n".join(lines) + "\n"


def _problem(asked: Asked, known: dict[str, Gate]) -> str:
    """Why this cannot be asked, in Chinese with the cure; empty where it can."""
    if bool(asked.name) == asked.all:
        return f"请写一个名称或 --all。有：{'、'.join(known)}（--list 列出说明）"
    if asked.name and asked.name not in known:
        return f"没有这一项：{asked.name}。有：{'、'.join(known)}"
    if not 0 < asked.scale <= 10:
        return "--scale 应大于 0、不超过 10；1 是设计规定的数量。"
    if asked.sabotage and (asked.all or asked.sabotage not in _sabotages(known[asked.name], asked)):
        names = "、".join(_sabotages(known[asked.name], asked)) if asked.name else "（一次一项）"
        return f"没有这种破坏：{asked.sabotage}。有：{names}"
    if asked.name and asked.engine and asked.engine not in known[asked.name].engines:
        return f"{asked.name} 不能用 {asked.engine}。"
    if asked.only and (asked.all or asked.only not in known[asked.name].parts):
        return f"没有这一部分：{asked.only}。"
    return ""


def _engine(gate: Gate, asked: Asked) -> str:
    return asked.engine or gate.engines[0]


def _sabotages(gate: Gate, asked: Asked) -> dict[str, str]:
    return gate.sabotages_on(_engine(gate, asked))


def _all(asked: Asked, wanted: list[Gate], scratch: Path, out: TextIO) -> int:
    passed = failed = 0
    could_not = False
    for gate in wanted:
        if asked.engine and asked.engine not in gate.engines:
            continue
        for sabotage in _sabotages(gate, asked) if asked.all_sabotage else [asked.sabotage]:
            run = _start(gate, asked, sabotage, scratch, out)
            code = run_one(gate, run)
            _close(run, keep=asked.keep)
            could_not |= code == COULD_NOT
            if asked.all_sabotage:
                caught = code == FAILED
                passed, failed = passed + caught, failed + (not caught and code != COULD_NOT)
                out.write(f"{gate.name} 破坏 {sabotage}：{'被发现' if caught else '没有被发现'}\n")
            else:
                passed, failed = passed + run.passed, failed + run.failed
    out.write(f"{passed} passed, {failed} failed\n")
    out.flush()
    if could_not:
        return COULD_NOT
    return FAILED if failed or not passed else PASSED


def _start(gate: Gate, asked: Asked, sabotage: str, scratch: Path, out: TextIO) -> Run:
    folder = Path(tempfile.mkdtemp(prefix=f"{gate.name}-", dir=scratch))
    only = asked.only or gate.part_of.get(sabotage, "")
    return Run(gate.name, asked.seed, asked.scale, asked.db, _engine(gate, asked), folder, sabotage, only=only, out=out)


def _close(run: Run, keep: bool) -> None:
    if not keep:
        shutil.rmtree(run.folder, ignore_errors=True)


def run_one(gate: Gate, run: Run) -> int:
    """One gate to its end or its limit; exit code of it alone."""
    run.say(
        f"{gate.number} {gate.name}：{gate.about}（seed {run.seed}，scale {run.scale:g}，{run.db}，{run.engine}"
        + (f"，只做 {run.only}" if run.only else "")
        + (f"，破坏 {run.sabotage}" if run.sabotage else "")
        + "）"
    )
    try:
        with _limited(gate.limit[0] + gate.limit[1] * run.scale):
            gate.run(run)
    except CannotRun as error:
        run.say(f"不能进行：{error}")
        return COULD_NOT
    except Caught:
        run.say("破坏已被发现，其余不再检查")
    except TimeUp as error:
        run.failed += 1
        run.say(f"未通过  在时限内结束：{error}")
    except KeyboardInterrupt:
        raise
    except Exception as error:
        run.say(traceback.format_exc())
        run.failed += 1
        run.say(f"未通过  没有意外的错误：{type(error).__name__}: {error}")
    run.say(f"{gate.name}（scale {run.scale:g}）：{run.passed} passed, {run.failed} failed")
    return FAILED if run.failed or not run.passed else PASSED


@contextlib.contextmanager
def _limited(seconds: float) -> Iterator[None]:
    """Raise TimeUp in the block after so many seconds."""

    def up(_number: int, _frame: Any) -> None:
        raise TimeUp(f"{seconds:.0f} 秒内没有结束")

    before = signal.signal(signal.SIGALRM, up)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextlib.contextmanager
def _ended_by_signals() -> Iterator[None]:
    """SIGTERM ends a run as Ctrl-C does: by the way that ends all children."""

    def stop(_number: int, _frame: Any) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
