import json
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize(("taken", "ends_with"), [(18, 1), (19, 0)])
def test_a_part_with_too_few_of_its_branches_taken_is_an_error(taken: int, ends_with: int, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    counted = {"core/a.py": (38, 40), "ingest/a/b.py": (taken, 19), "ingest/core/c.py": (0, 0), "ingest/d.py": (0, 1)}
    files = {
        path: {"summary": {"covered_branches": covered, "num_branches": number, "percent_covered": 100.0}}
        for path, (covered, number) in counted.items()
    }
    report.write_text(json.dumps({"files": files}))
    done = subprocess.run(
        [sys.executable, "-m", "ops.branches", str(report)], capture_output=True, text=True, check=False
    )
    share = {18: "90.0", 19: "95.0"}[taken]
    assert done.stdout.splitlines() == [
        "core: 95.0% of the branches (at least 95%)",
        f"ingest: {share}% of the branches (at least 95%)",
    ]
    assert done.returncode == ends_with
