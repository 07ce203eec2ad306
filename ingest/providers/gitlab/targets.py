"""Which projects `group/*` of GITLAB_PROJECTS stands for, subgroups included."""

from urllib.parse import quote

from core.errors import DashboardError
from ingest.providers.gitlab.api import GitLab
from ingest.providers.refusals import is_missing


async def projects_of(gitlab: GitLab, owner: str) -> list[str]:
    """Of a group or, where there is none of that name, of a user; without those that can have no pipelines."""
    query = {"archived": "false", "order_by": "id", "sort": "asc"}
    place = quote(owner, safe="")
    try:
        found = await gitlab.items(f"groups/{place}/projects", {**query, "include_subgroups": "true"}, owner)
    except DashboardError as error:
        if not is_missing(error):
            raise
        found = await gitlab.items(f"users/{place}/projects", query, owner)
    return [one["path_with_namespace"] for one in found if one.get("builds_access_level") != "disabled"]
