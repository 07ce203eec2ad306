"""Tables of runs, jobs and steps in HTML: light, with links and exact times on hover. All text in them is escaped."""

from datetime import datetime
from urllib.parse import quote

import pandas as pd

from dashboard.parts.formats import NOTHING, ago, duration, escaped, exact, first_line, link

ICONS = {
    "success": ("✓", "#009E73"), "failed": ("✕", "#D55E00"), "running": ("●", "#56B4E9"), "queued": ("◌", "#8A94A3"),
    "cancelled": ("⊘", "#8A94A3"), "skipped": ("»", "#8A94A3"), "blocked": ("⏸", "#E69F00"),
}  # fmt: skip

STYLE = """<style>
.ch-scroll{overflow-x:auto}
.ch-table{width:100%;border-collapse:collapse;font-size:.875rem;line-height:1.35}
.ch-table th{text-align:left;font-weight:600;opacity:.65;padding:.35rem .6rem;white-space:nowrap;border-bottom:1px solid rgba(128,136,150,.35)}
.ch-table td{padding:.45rem .6rem;border-bottom:1px solid rgba(128,136,150,.18);vertical-align:top}
.ch-table tr:hover td{background:rgba(128,136,150,.08)}
.ch-table a{text-decoration:none;color:inherit;border-bottom:1px dotted currentColor}
.ch-table .n{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
.ch-table .w{white-space:nowrap}
.ch-table .m{max-width:26rem;overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.ch-table code{font-size:.8rem;background:none;color:inherit;padding:0}
.ch-sub{opacity:.65;font-size:.8rem}
.ch-status{white-space:nowrap;font-weight:600}
.ch-status i{font-style:normal;display:inline-block;width:1.1em;text-align:center}
</style>"""


def status(word: str, conclusion: str | None = None) -> str:
    """A status as icon and word; the CI system's own word on hover."""
    icon, colour = ICONS.get(word, ("?", "#8A94A3"))
    title = f' title="{escaped(conclusion)}"' if isinstance(conclusion, str) else ""
    return f'<span class="ch-status"{title}><i style="color:{colour}">{icon}</i> {escaped(word.capitalize())}</span>'


def time(moment: datetime | None, now: datetime, zone: str) -> str:
    """A relative time with the exact one on hover."""
    return f'<span title="{escaped(exact(moment, zone))}">{ago(moment, now)}</span>'


def commit(sha: object, repository_url: object) -> str:
    """The short commit, linked to the repository's page of it."""
    if not isinstance(sha, str) or not sha:
        return NOTHING
    address = f"{repository_url}/commit/{quote(sha, safe='')}" if isinstance(repository_url, str) else None
    return link(address, f"<code>{escaped(sha[:7])}</code>", sha)


def runs(frame: pd.DataFrame, now: datetime, zone: str) -> str:
    """The table of workflow runs."""
    head = ("Pipeline", "Status", "Duration", "Branch", "Commit", "Message", "Author", "Started")
    rows = [_run_row(row, now, zone) for row in frame.to_dict("records")]
    return _table("runs", head, rows)


def jobs(frame: pd.DataFrame, steps: pd.DataFrame) -> str:
    """The table of an attempt's jobs, each with its steps folded below it."""
    rows = []
    for row in frame.to_dict("records"):
        own = steps[steps["job_id"] == row["id"]]
        rows.append(
            f"<tr><td>{link(row['url'], escaped(row['name']))}{_steps(own, opened=row['status'] == 'failed')}</td>"
            f"<td>{status(row['status'], row['conclusion'])}</td>"
            f'<td class="n">{duration(row["duration_seconds"])}</td>'
            f'<td class="n">{duration(row["queue_seconds"])}</td>'
            f'<td class="w">{escaped(row["runner_name"]) or NOTHING}<div class="ch-sub">{escaped(row["labels"])}</div></td></tr>'
        )
    return _table("jobs", ("Job", "Status", "Duration", "Queued for", "Runner"), rows)


def _steps(frame: pd.DataFrame, *, opened: bool) -> str:
    if frame.empty:
        return ""
    lines = "".join(
        f'<tr><td class="n">{row["number"]}</td><td>{escaped(row["name"])}</td>'
        f'<td>{status(row["status"], row["conclusion"])}</td><td class="n">{duration(row["duration_seconds"])}</td></tr>'
        for row in frame.to_dict("records")
    )
    mark = " open" if opened else ""
    return f'<details{mark}><summary class="ch-sub">{len(frame)} steps</summary><table class="ch-table">{lines}</table></details>'


def _run_row(row: dict[str, object], now: datetime, zone: str) -> str:
    number = f" #{int(row['run_number'])}" if pd.notna(row["run_number"]) else ""  # type: ignore[call-overload]
    attempt = f" · attempt {row['run_attempt']}" if row["run_attempt"] != 1 else ""
    name = f'<a href="run?id={quote(str(row["id"]), safe="")}" target="_self">{escaped(row["pipeline"])}{number}</a>'
    fork = f"{escaped(row['head_repository']) or 'deleted fork'}:" if row["is_fork"] else ""
    message = first_line(row["commit_message"] or row["title"])  # type: ignore[arg-type]
    return (
        f'<tr><td class="w">{name}<div class="ch-sub">{escaped(row["repository"])}{attempt}</div></td>'
        f"<td>{status(str(row['status']), row['conclusion'])}</td>"  # type: ignore[arg-type]
        f'<td class="n">{duration(row["duration_seconds"])}</td>'  # type: ignore[arg-type]
        f'<td class="m" style="max-width:11rem" title="{fork}{escaped(row["branch"])}">{fork}{escaped(row["branch"]) or NOTHING}</td>'
        f"<td>{commit(row['head_sha'], row['repository_url'])}</td>"
        f'<td class="m" title="{escaped(row["commit_message"])}">{link(row["url"], escaped(message) or NOTHING, "Open at the CI system")}</td>'
        f'<td class="w">{escaped(row["commit_author"]) or escaped(row["actor"]) or NOTHING}</td>'
        f'<td class="w">{time(row["begun_at"], now, zone)}</td></tr>'  # type: ignore[arg-type]
    )


def _table(name: str, head: tuple[str, ...], rows: list[str]) -> str:
    numbers = {"Duration", "Queued for"}
    titles = "".join(f'<th class="n">{title}</th>' if title in numbers else f"<th>{title}</th>" for title in head)
    return (
        f'{STYLE}<div class="ch-scroll"><table class="ch-table" id="{name}-table"><thead><tr>{titles}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )
