#!/usr/bin/env python3
"""Takes names and types of what the stand-ins answer out of the services' own API documents.

    extract.py radarr.json sonarr.json jellyfin.json

The documents are those that the projects publish: `src/Radarr.Api.V3/openapi.json` of Radarr,
`src/Sonarr.Api.V3/openapi.json` of Sonarr, and `jellyfin-openapi-stable.json` of Jellyfin. What comes
out holds facts about an interface and nothing else of them: no descriptions, no examples.

A type is written `integer`, `number`, `boolean`, `string`, `date-time` or `uuid`; `[T]` is a list, `{T}`
a map from strings, `a|b|` an enumeration, `any` what isn't looked at, another word the name of a schema.
`?` at the end: it may be null.
"""

import json
import pathlib
import sys

ANSWERS = {
    "radarr": {
        "/api/v3/system/status": "SystemResource",
        "/api/v3/movie": "[MovieResource]",
        "/api/v3/movie/{id}": "MovieResource",
        "/api/v3/moviefile": "[MovieFileResource]",
        "/api/v3/moviefile/{id}": "MovieFileResource",
        "/api/v3/rootfolder": "[RootFolderResource]",
        "/api/v3/diskspace": "[DiskSpaceResource]",
        "/api/v3/health": "[HealthResource]",
        "/api/v3/history": "HistoryResourcePagingResource",
        "/api/v3/history/since": "[HistoryResource]",
        "/api/v3/history/movie": "[HistoryResource]",
        "/api/v3/queue": "QueueResourcePagingResource",
        "/api/v3/queue/details": "[QueueResource]",
        "/api/v3/command": "[CommandResource]",
        "/api/v3/command/{id}": "CommandResource",
    },
    "sonarr": {
        "/api/v3/system/status": "SystemResource",
        "/api/v3/series": "[SeriesResource]",
        "/api/v3/series/{id}": "SeriesResource",
        "/api/v3/episodefile": "[EpisodeFileResource]",
        "/api/v3/episodefile/{id}": "EpisodeFileResource",
        "/api/v3/episode": "[EpisodeResource]",
        "/api/v3/rootfolder": "[RootFolderResource]",
        "/api/v3/diskspace": "[DiskSpaceResource]",
        "/api/v3/health": "[HealthResource]",
        "/api/v3/history": "HistoryResourcePagingResource",
        "/api/v3/history/since": "[HistoryResource]",
        "/api/v3/history/series": "[HistoryResource]",
        "/api/v3/queue": "QueueResourcePagingResource",
        "/api/v3/queue/details": "[QueueResource]",
        "/api/v3/command": "[CommandResource]",
        "/api/v3/command/{id}": "CommandResource",
    },
    "jellyfin": {
        "/System/Info/Public": "PublicSystemInfo",
        "/System/Info": "SystemInfo",
        "/System/Ping": "string",
        "/Items": "BaseItemDtoQueryResult",
        "/Items/{id}": "BaseItemDto",
        "/Users/{id}/Items": "BaseItemDtoQueryResult",
        "/Users/{id}/Items/{id}": "BaseItemDto",
        "/Items/Counts": "ItemCounts",
        "/Users": "[UserDto]",
        "/Users/{id}": "UserDto",
        "/Users/Me": "UserDto",
        "POST /Users/AuthenticateByName": "AuthenticationResult",
        "/Library/VirtualFolders": "[VirtualFolderInfo]",
        "/ScheduledTasks": "[TaskInfo]",
    },
}

# Of which nothing depends on what is inside, or whose published shape is not what is answered:
# a command's body is that of the command's own kind.
OPAQUE = {"Command", "LibraryOptions", "SessionInfoDto", "UserConfiguration", "UserPolicy",
          "MediaSourceInfo", "ChapterInfo", "TrickplayInfoDto", "MediaStream", "BaseItemPerson",
          "UserItemDataDto", "ImageBlurHashes", "LyricDto", "AddMovieOptions", "AddSeriesOptions",
          "MovieCollectionResource", "AlternativeTitleResource", "AlternateTitleResource"}


def name_of(reference):
    return reference.rsplit("/", 1)[1]


def type_of(schema):
    if "allOf" in schema and "enum" not in schema:
        written = type_of(schema["allOf"][0])
    elif "$ref" in schema:
        name = name_of(schema["$ref"])
        # Sonarr's document shows the inside of an address, which is answered as text.
        written = "any" if name in OPAQUE else "string" if name == "HttpUri" else name
    elif "enum" in schema:
        written = "".join(value + "|" for value in schema["enum"])
    elif schema.get("type") == "array":
        written = "[" + type_of(schema["items"]) + "]"
    elif schema.get("type") == "object" and isinstance(schema.get("additionalProperties"), dict):
        written = "{" + type_of(schema["additionalProperties"]) + "}"
    elif schema.get("format") in ("date-time", "uuid"):
        written = schema["format"]
    elif schema.get("type") in ("integer", "number", "boolean", "string"):
        written = schema["type"]
    else:
        written = "any"
    return written + ("?" if schema.get("nullable") and not written.endswith("?") else "")


def words(written):
    return {written.strip("[]{}?")} if "|" not in written else set()


def extracted(document, answers):
    schemas = document["components"]["schemas"]
    found = {}
    waiting = set().union(*(words(written) for written in answers.values()))
    while waiting:
        name = waiting.pop()
        if name in found or name not in schemas:
            continue
        schema = schemas[name]
        if "properties" in schema:
            found[name] = {key: type_of(value) for key, value in schema["properties"].items()}
            waiting |= set().union(*(words(written) for written in found[name].values()))
        else:
            found[name] = type_of(schema)
    return {
        "from": document["info"]["title"] + " " + document["info"]["version"],
        "answers": answers,
        "schemas": dict(sorted(found.items())),
    }


def main():
    here = pathlib.Path(__file__).parent
    for path, (service, answers) in zip(sys.argv[1:], ANSWERS.items(), strict=True):
        with open(path, encoding="utf-8") as file:
            facts = extracted(json.load(file), answers)
        text = json.dumps(facts, indent=1, ensure_ascii=False)
        (here / f"{service}.json").write_text(text + "\n", encoding="utf-8")


main()
