"""Jenkins' remote access API as polling uses it: what is asked for, and what its refusals mean, in words.

https://www.jenkins.io/doc/book/using/remote-access-api/
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote

import httpx

from ingest.polling.http import Api, Refused
from ingest.providers.refusals import explained, of_kind

Json = dict[str, Any]

# What travels of a build, and no more: `tree` leaves out artifacts, parameters, tests and all that plugins add.
BUILD = (
    "_class,number,url,result,building,timestamp,duration,displayName,"
    "actions[causes[userId,userName],lastBuiltRevision[SHA1,branch[name]],remoteUrls],"
    "changeSets[items[commitId,msg,author[fullName]]],changeSet[items[commitId,msg,author[fullName]]],"
    "runs[number,url,result,building,timestamp,duration]"
)


class Jenkins:
    """One lane to Jenkins. Every method raises ProviderUnavailable with a sentence for people."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def document(self, path: str, tree: str, whose: str) -> Json:
        """The part `tree` of the object at `path`."""
        return await self._json(f"{path}api/json", {"tree": tree}, whose)

    async def builds(self, path: str, first: int, count: int, whose: str) -> list[Json]:
        """Builds of a job, newest first, from the place `first` on."""
        found = await self.document(path, f"allBuilds[{BUILD}]{{{first},{first + count}}}", whose)
        builds: list[Json] = found.get("allBuilds") or []
        return builds

    async def stages(self, path: str, whose: str) -> Json:
        """The stages of a pipeline's build.

        https://plugins.jenkins.io/pipeline-rest-api/
        """
        return await self._json(f"{path}wfapi/describe", {}, whose)

    @asynccontextmanager
    async def log_from(self, path: str, start: int, whose: str) -> AsyncIterator[httpx.Response]:
        """The console log from byte `start` on, as far as it is written."""
        with explained(lambda refused: _sentence(whose, refused)):
            async with self._api.stream(f"{path}logText/progressiveText?start={start}") as response:
                yield response

    async def _json(self, path: str, query: dict[str, str], whose: str) -> Json:
        with explained(lambda refused: _sentence(whose, refused)):
            return of_kind(dict, (await self._api.get(path, query)).body, whose)


def place_of(names: Sequence[str]) -> str:
    """`job/team/job/shop/`: where a job is known by the names of its folders and itself."""
    return "".join(f"job/{quote(name, safe='')}/" for name in names)


def _sentence(whose: str, refused: Refused) -> str:
    match refused.http_status:
        case 401:
            return (
                "Jenkins doesn't accept the user or the token (401). Set JENKINS_USER, and a new JENKINS_TOKEN from "
                "that user's page."
            )
        case 403:
            return f"The user may not read {whose} (403). It needs Overall/Read and Job/Read."
        case 404:
            return f"Jenkins knows no {whose} that the user may see (404). Check the full name of the job."
    return f"Jenkins refuses requests about {whose} ({refused.http_status})."
