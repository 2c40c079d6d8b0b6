#!/usr/bin/env python3
"""Reads the stand-ins through clients that others wrote for the real services.

    read.py RADARR_URL KEY SONARR_URL KEY JELLYFIN_URL KEY FILMS SERIES ANIME

A stand-in that only its own author's client can read proves nothing.
"""

import sys

from jellyfin_apiclient_python import JellyfinClient
from jellyfin_apiclient_python.connection_manager import CONNECTION_STATE
from pyarr import RadarrAPI, SonarrAPI


def same(what, said, wanted):
    if said != wanted:
        sys.exit(f"{what}: {said!r} instead of {wanted!r}")
    print(f"{what}: {said!r}")


def radarr(url, key, films):
    client = RadarrAPI(url, key)
    same("Radarr's name", client.get_system_status()["appName"], "Radarr")
    movies = client.get_movie()
    same("films in Radarr", len(movies), films)
    first = movies[0]
    same("the first film", (first["title"], first["tmdbId"]), ("The Quiet Harbour", 1000))
    same("the same by its id", client.get_movie(first["id"])["title"], first["title"])
    found = client.get_movie(first["tmdbId"], tmdb=True)
    same("the same by its TMDB number", [movie["id"] for movie in found], [first["id"]])
    same("its files", len(client.get_movie_files_by_movie_id(first["id"])), 1)
    same("root folders of Radarr", [f["path"] for f in client.get_root_folder()], ["/movies"])
    same("the queue of Radarr", client.get_queue()["totalRecords"], 0)
    same("the history of Radarr", client.get_history()["records"], [])


def sonarr(url, key, shows):
    client = SonarrAPI(url, key)
    same("Sonarr's name", client.get_system_status()["appName"], "Sonarr")
    series = client.get_series()
    same("series in Sonarr", len(series), shows)
    first = series[0]
    same("the first series", (first["title"], first["tvdbId"]), ("A Quiet Harbour", 70000))
    same("the same by its id", client.get_series(first["id"])["tvdbId"], 70000)
    episodes = client.get_episode(first["id"], series=True)
    same("its episodes", len(episodes), 20)
    same("its files", len(client.get_episode_file(first["id"], series=True)), 20)
    same("root folders of Sonarr", [f["path"] for f in client.get_root_folder()], ["/tv"])


def jellyfin(url, key, films, shows):
    client = JellyfinClient()
    client.config.app("test", "1.0", "test", "test-device")
    client.config.data["auth.ssl"] = False
    server = {"AccessToken": key, "address": url}
    state = client.authenticate({"Servers": [server]}, discover=False)["State"]
    same("Jellyfin with the key", state, CONNECTION_STATE.SignedIn)
    same("its version", client.jellyfin.get_system_info_new()["Version"], "10.11.11")
    client.auth.connect_to_address(url)
    same("who came in", client.auth.login(url, "demo", "demo")["User"]["Name"], "demo")
    for kind, wanted in (("Movie", films), ("Series", shows)):
        query = {"Recursive": True, "IncludeItemTypes": kind, "Fields": "Path,ProviderIds"}
        said = client.jellyfin.user_items(params=query)
        same(f"{kind} items in Jellyfin", (said["TotalRecordCount"], len(said["Items"])), (wanted, wanted))
        item = said["Items"][0]
        same("one by its id", client.jellyfin.get_item(item["Id"])["Path"], item["Path"])


def main():
    radarr_url, radarr_key, sonarr_url, sonarr_key, jellyfin_url, jellyfin_key = sys.argv[1:7]
    films, series, anime = map(int, sys.argv[7:10])
    radarr(radarr_url, radarr_key, films)
    sonarr(sonarr_url, sonarr_key, series)
    jellyfin(jellyfin_url, jellyfin_key, films, series + anime)


main()
