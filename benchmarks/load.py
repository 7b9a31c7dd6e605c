"""A class at work: visitors who open Train at once, each start a small run at once, and watch it.

One public server of its own, on this computer; what a browser would do besides is not measured. One visitor alone
comes first, on the same server, for comparison. SESSIONS=30 in the environment makes it thirty visitors.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Iterable, Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs

import numpy as np
from numpy.typing import NDArray

from benchmarks.streamlit_client import Visitor
from rnn.runs.store import Store

SESSIONS = int(os.environ.get("SESSIONS", "10"))
ALONE_SECONDS, WINDOW_SECONDS = 5.0, 15.0
SETTLING_SECONDS = 1.0  # from the last run's first loss until the window begins

# What the page is expected to have: labels, or keys.
PAGE, START, STOP, CHART = "Train", "Start training", "Stop", "loss"
SETTINGS = {"Hidden size": 64, "Steps": 5000}  # small, and not at its end within the measurement


@contextmanager
def server(home: Path, script: Path | str = "streamlit_app.py") -> Iterator[tuple[int, int]]:
    """A public server with its own runs: its port and its process id."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = int(listener.getsockname()[1])
    options = [f"--server.port={port}", "--server.address=127.0.0.1", "--server.headless=true"]
    command = [sys.executable, "-m", "streamlit", "run", str(script), *options]
    environment = {**os.environ, "RNN_PLAYGROUND_HOME": str(home), "RNN_PLAYGROUND_PUBLIC": "1"}
    with (home / "server.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=Path(__file__).parents[1], env=environment, stdout=log, stderr=log)
    try:
        until = time.monotonic() + 60
        while not answers(port):
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError("The server did not start.")
            time.sleep(0.05)
        yield port, process.pid
    except (Exception, SystemExit):
        print((home / "server.log").read_text(errors="replace")[-4000:], file=sys.stderr)
        raise
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/_stcore/health")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def memory_bytes(process: int, field: str = "VmRSS") -> float:
    """Resident memory of a process now, or its peak (VmHWM); nan if not known here."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(field)) * 1024.0
    except (OSError, StopIteration):
        return float("nan")


def memory(process: int, field: str = "VmRSS") -> str:
    """The same in words."""
    size = memory_bytes(process, field)
    return f"{size / 2**20:.0f} MB" if size == size else "not known here"


def cpu_seconds(process: int) -> NDArray[np.float64]:
    """CPU seconds used so far: by the server, by this client, and by all others; nan if not known here.

    Others are the computer's other processes and, if it is a virtual one, what the others on its host took from it.
    """
    try:
        ticks = os.sysconf("SC_CLK_TCK")
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        server, client = (int(fields[11]) + int(fields[12])) / ticks, time.process_time()
        _, user, nice, system, _, _, _, _, stolen = Path("/proc/stat").read_text().split()[:9]
        computer = (int(user) + int(nice) + int(system) + int(stolen)) / ticks
        return np.array([server, client, computer - server - client])
    except (OSError, ValueError):
        return np.full(3, np.nan)


def loss_points(visitor: Visitor) -> int:
    """Points of the curves in the visitor's chart."""
    charts = [chart for chart in visitor.drawn("plotly_chart") if chart.id.endswith(f"-{CHART}")]
    curves = [trace.get("x", []) for chart in charts for trace in json.loads(chart.spec)["data"]]
    return sum(len(x["bdata"] if isinstance(x, dict) else x) for x in curves)  # Plotly packs arrays of numpy


def run_of(visitor: Visitor) -> str:
    """The id of the run that the visitor looks at: it is in the URL."""
    return parse_qs(visitor.query)["run"][0]


async def start(visitor: Visitor, settings: Mapping[str, int] = SETTINGS) -> float:
    """Starts a run; the seconds from the click until its first loss is in the chart."""
    for label, value in settings.items():
        visitor.enter(label, value)
    clicked = time.perf_counter()
    await visitor.click(START)
    await visitor.until(lambda: loss_points(visitor) > 0)
    return time.perf_counter() - clicked


async def ask_for_page(visitor: Visitor, delay: float) -> float:
    """Asks for the whole page, as a changed setting does; the seconds it took."""
    await asyncio.sleep(delay)
    return await visitor.rerun()


@dataclass
class Window:
    """What was measured while runs trained; a second means a second on the clock."""

    characters: NDArray[np.float64]  # trained on a second, run by run
    training: NDArray[np.float64]  # seconds of training a second, run by run
    fragments: list[float]  # seconds of each rerun
    pages: list[float]
    cpu: NDArray[np.float64]  # seconds a second: the server, this client, all others


async def watch(
    visitors: list[Visitor], store: Store, process: int, seconds: float, settings: Mapping[str, int] = SETTINGS
) -> Window:
    """Everybody watches their run, and asks for the page once; a run with other settings is an error."""

    def progress() -> NDArray[np.float64]:
        """Each run's characters, seconds of training, and when these were written, which happens once a turn."""
        infos = [store.get(run_of(visitor)) for visitor in visitors]
        for info in infos:
            if info.status != "running" or info.model["hidden_size"] != settings["Hidden size"]:
                raise RuntimeError(f"A run is {info.status} at step {info.step}: {info.model}. {info.message}")
        trained = [i.step * int(str(i.train["batch_size"])) * int(str(i.train["bptt_steps"])) for i in infos]
        return np.array([trained, [i.elapsed for i in infos], [i.updated for i in infos]])

    before, cpu, began = progress(), cpu_seconds(process), time.perf_counter()
    delays = [seconds * (i + 0.5) / len(visitors) for i in range(len(visitors))]
    pages = await together(ask_for_page(v, delay) for v, delay in zip(visitors, delays, strict=True))
    await asyncio.sleep(began + seconds - time.perf_counter())
    cpu = (cpu_seconds(process) - cpu) / (time.perf_counter() - began)
    characters, training, clock = progress() - before
    fragments = [took for visitor in visitors for due, took in visitor.ticks if due >= began]
    clock[clock == 0] = seconds  # a run that had no turn: nothing was trained, and nothing written
    return Window(characters / clock, training / clock, fragments, pages, cpu)


async def together(work: Iterable[Awaitable]) -> list:  # type: ignore[type-arg]
    return list(await asyncio.gather(*work))


def spread(seconds: list[float], unit: float = 1.0, digits: int = 1, most: bool = False) -> str:
    if len(seconds) == 1:
        return f"{seconds[0] * unit:.{digits}f}"
    values = [("p50", np.percentile(seconds, 50)), ("p95", np.percentile(seconds, 95))]
    values += [("max", max(seconds))] if most else []
    return "  ".join(f"{name} {value * unit:.{digits}f}" for name, value in values)


def share(rates: NDArray[np.float64]) -> str:
    return f"{rates.min() / rates.mean():.2f} to {rates.max() / rates.mean():.2f} of the mean"


async def measure(home: Path, port: int, process: int) -> list[str]:
    """Prints the measurements; returns what visitors saw of errors."""
    store = Store(home)
    resident = [("started", memory(process))]

    async def arrive(stack: AsyncExitStack) -> tuple[Visitor, float]:
        came = time.perf_counter()
        visitor = await stack.enter_async_context(Visitor(port, PAGE))
        return visitor, time.perf_counter() - came

    async with AsyncExitStack() as stack:
        first, first_ready = await arrive(stack)
        first_loss = await start(first)
        resident.append(("one run", memory(process)))
        alone = await watch([first], store, process, ALONE_SECONDS)
        await first.click(STOP)
        await first.until(lambda: store.get(run_of(first)).status == "finished")

    async with AsyncExitStack() as stack:
        arrived = await together(arrive(stack) for _ in range(SESSIONS))
        visitors = [visitor for visitor, _ in arrived]
        losses = await together(start(visitor) for visitor in visitors)
        await asyncio.sleep(SETTLING_SECONDS)
        all_of_them = await watch(visitors, store, process, WINDOW_SECONDS)
        resident += [(f"{SESSIONS} runs", memory(process)), ("peak", memory(process, "VmHWM"))]
    store.close()

    one, total = alone.characters.sum(), all_of_them.characters.sum()
    rows = [
        ("page ready, s", f"{first_ready:.1f} (a new server)", spread([s for _, s in arrived], digits=2)),
        ("Start to first loss, s", f"{first_loss:.1f} (torch loads)", spread(losses, most=True)),
        ("fragment rerun, ms", spread(alone.fragments, 1000, 0), spread(all_of_them.fragments, 1000, 0)),
        ("page rerun, ms", spread(alone.pages, 1000, 0), spread(all_of_them.pages, 1000, 0)),
        ("characters/s", f"{one:,.0f}", f"{total:,.0f}, {total / one:.2f} times as many"),
        ("  a run's share of them", "", share(all_of_them.characters)),
        ("seconds of training/s", f"{alone.training.sum():.2f}", f"{all_of_them.training.sum():.2f}"),
        ("  a run's share of them", "", share(all_of_them.training)),
        *(
            (f"CPU s/s of {who}", f"{a:.2f}", f"{b:.2f}")
            for who, a, b in zip(("the server", "this client", "others"), alone.cpu, all_of_them.cpu, strict=True)
        ),
    ]
    print(f"  {'':24}{'one visitor':32}{SESSIONS} at once")
    for row in rows:
        print("  {:24}{:32}{}".format(*row))
    print(f"  memory of the server    {', '.join(f'{when} {size}' for when, size in resident)}")
    if lost := sum(visitor.lost for visitor in visitors):
        print(f"  {lost} reruns of the page lost their end: Streamlit drops it where a fragment asks at that moment")
    return [complaint for visitor in (first, *visitors) for complaint in visitor.complaints]


def run() -> None:
    print(
        f"Load: {SESSIONS} visitors at once, each starts an LSTM of {SETTINGS['Hidden size']} and watches it; "
        f"server and visitors share {os.cpu_count()} cores",
        flush=True,
    )
    with tempfile.TemporaryDirectory() as home, server(Path(home)) as (port, process):
        complaints = asyncio.run(measure(Path(home), port, process))
        if complaints:
            raise SystemExit(f"NOT ALL WELL: {len(complaints)} errors were on the pages, the first: {complaints[0]}")
