"""Which jobs `team/*` and `*` of JENKINS_JOBS stand for: they are walked through folder by folder."""

from ingest.providers.jenkins.api import Jenkins, Json, place_of

# `jobs` of an item is only asked for to see whether it has any: then it is a folder of some kind.
FOLDER = "_class,jobs[_class,name,jobs[_class]{0,1}]"


async def jobs_beneath(jenkins: Jenkins, folder: str) -> list[str]:
    """The full names of all jobs of a folder (empty: of Jenkins) and its folders. A multibranch project is one job."""
    names = folder.split("/") if folder else []
    found = await jenkins.document(place_of(names), FOLDER, folder or "Jenkins")
    if _is_multibranch(found):
        return [folder]
    jobs: list[str] = []
    for item in found.get("jobs") or []:
        inside = "/".join([*names, item["name"]])
        is_folder = "jobs" in item and not _is_multibranch(item)
        jobs += await jobs_beneath(jenkins, inside) if is_folder else [inside]
    return jobs


def _is_multibranch(item: Json) -> bool:
    return bool(item.get("_class", "").endswith("MultiBranchProject"))
