"""nginx with the repository's configuration, run by anybody in a folder of its own."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

SITE = Path(__file__).parents[1] / "docs" / "deploy" / "nginx.conf"
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
WITHOUT = "nginx is not installed, so what it says of docs/deploy/nginx.conf is not known here"
# What a distribution's own nginx.conf has around such a file; every request is a line: its path, the bytes sent.
AROUND = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 768; }}
http {{
    log_format bytes '$uri $bytes_sent';
    access_log {folder}/bytes.log bytes;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    scgi_temp_path {folder}/scgi;
    uwsgi_temp_path {folder}/uwsgi;
    include {folder}/site.conf;
}}
"""


def command(folder: Path, listen: int = 80, streamlit: int = 8501, gzip: bool = True) -> list[str]:
    """The command that runs nginx with the repository's site: on another port, before another server, without gzip."""
    site = SITE.read_text(encoding="utf-8")
    for written, instead in (
        ("listen 80;", f"listen 127.0.0.1:{listen};"),
        ("proxy_pass http://127.0.0.1:8501;", f"proxy_pass http://127.0.0.1:{streamlit};"),
        ("gzip on;", f"gzip {'on' if gzip else 'off'};"),
    ):
        assert site.count(written) == 1
        site = site.replace(written, instead)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "site.conf").write_text(site, encoding="utf-8")
    (folder / "nginx.conf").write_text(AROUND.format(folder=folder), encoding="utf-8")
    return [str(NGINX), "-p", str(folder), "-e", str(folder / "error.log"), "-c", str(folder / "nginx.conf")]


def bytes_sent(folder: Path) -> dict[str, int]:
    """What nginx has sent in all answers that have ended, by path."""
    sent: dict[str, int] = {}
    for path, count in re.findall(r"^(\S+) (\d+)$", (folder / "bytes.log").read_text(), re.MULTILINE):
        sent[path] = sent.get(path, 0) + int(count)
    return sent
