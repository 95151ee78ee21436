"""The API over a real archive."""

from __future__ import annotations

import pytest
from httpx import Client

from metadata.holdings import AipVersion
from metadata.identifiers import VersionId
from tests.builders.reading import Archive, Paper


def test_search_finds_without_diacritics(reader: Client) -> None:
    answer = reader.get("/api/search", params={"q": "quyet dinh", "agency": "H20.05"}).json()
    assert answer["total"] == 1
    hit = answer["hits"][0]
    assert hit["title"]["html"].startswith("<mark>Quyết</mark> <mark>định</mark>")
    assert reader.get(hit["url"]).json()["record"]["notation"] == "2402/2019/QĐ-UBND"
    assert answer["facets"]["year"] == [{"value": "2019", "count": 1}]


def test_search_escapes_titles(reader: Client) -> None:
    hit = reader.get("/api/search", params={"q": "bien ban"}).json()["hits"][0]
    assert "&lt;script&gt;" in hit["title"]["html"]


@pytest.mark.parametrize(
    "query",
    [
        {"limit": "101"},
        {"offset": "-1"},
        {"sort": "title; DROP TABLE record"},
        {"limit": "1 OR 1=1"},
        {"level": ["x"] * 51},
    ],
)
def test_wrong_parameters_are_refused(reader: Client, query: dict[str, str]) -> None:
    response = reader.get("/api/search", params=query)
    assert response.status_code == 422
    assert set(response.json()) == {"code", "vi", "en"}


@pytest.mark.parametrize("text", ['"', "a" * 5000, "' OR 1=1 --", "\x00", "tu " * 10_000])
def test_no_words_are_an_error(reader: Client, text: str) -> None:
    assert reader.get("/api/search", params={"q": text}).status_code == 200


def test_dossiers_are_paged(reader: Client, versions: list[AipVersion]) -> None:
    seen: list[str] = []
    after = ""
    for _ in range(len(versions)):
        page = reader.get("/api/dossiers", params={"limit": 1, "after": after}).json()
        seen += [one["aip"] for one in page["dossiers"]]
        after = page["next"]
    assert sorted(seen) == sorted(str(version.aip) for version in versions)
    assert reader.get("/api/dossiers", params={"after": after}).json() == {"dossiers": [], "next": None}


def test_a_dossier_has_its_documents_and_its_life(reader: Client, versions: list[AipVersion]) -> None:
    answer = reader.get(f"/api/dossiers/{versions[0].aip}", params={"limit": 2}).json()
    assert [document["number"] for document in answer["documents"]] == [1, 2]
    assert answer["next"] == 3
    assert answer["record"]["fields"]["maintenance"] == "01"
    assert [replica["outcome"] for replica in answer["life"]["replicas"]] == ["MATCH", "MATCH"]
    assert answer["life"]["checked"] < answer["life"]["read"] < answer["life"]["next"]
    rest = reader.get(f"/api/dossiers/{versions[0].aip}", params={"first": 3}).json()
    assert [document["number"] for document in rest["documents"]] == [3]


def test_a_package_without_description_is_still_a_dossier(reader: Client, versions: list[AipVersion]) -> None:
    answer = reader.get(f"/api/dossiers/{versions[2].aip}").json()
    assert answer["record"]["title"] == "Ảnh chụp lễ kỷ niệm 70 năm"
    assert answer["documents"] == []


def test_a_document_has_its_files(reader: Client, versions: list[AipVersion]) -> None:
    answer = reader.get(f"/api/dossiers/{versions[0].aip}/documents/2").json()
    assert [file["format"]["puid"] for file in answer["files"]] == ["fmt/354", "fmt/412"]


def test_a_package_its_events_and_files(reader: Client, versions: list[AipVersion]) -> None:
    name = str(versions[0].id)
    assert reader.get(f"/api/aips/{name}").json()["aip"]["key"] == versions[0].key
    events = reader.get(f"/api/aips/{name}/events").json()["events"]
    assert [event["type"] for event in events][-2:] == ["fixity check", "recovery"]
    assert events[-2]["store"] == "kho-b"
    first = reader.get(f"/api/aips/{name}/files", params={"limit": 4}).json()
    rest = reader.get(f"/api/aips/{name}/files", params={"first": first["next"]}).json()
    assert [file["number"] for file in first["files"] + rest["files"]] == list(range(1, 11))
    assert rest["next"] is None


def test_the_latest_version_is_meant_and_an_older_one_can_be_named(library: Archive, reader: Client) -> None:
    old = library.add("Bản một", [Paper("Một")], code="V")
    new = library.add("Bản hai", [Paper("Hai")], code="V", version=2)
    library.feed()
    assert old.aip == new.aip
    assert reader.get(f"/api/aips/{new.aip}").json()["aip"]["title"] == "Bản hai"
    assert reader.get(f"/api/aips/{new.aip}-v1").json()["aip"]["title"] == "Bản một"
    assert reader.get("/api/search", params={"q": '"bản một"'}).json()["total"] == 0
    assert reader.get("/api/search", params={"q": '"bản hai"'}).json()["total"] == 1


@pytest.mark.parametrize(
    "path",
    [
        "dossiers/{}",
        "dossiers/{}/documents/1",
        "aips/{}",
        "aips/{}/events",
        "aips/{}/files",
        "aips/{}/content/bagit.txt",
        "dossiers?after={}",
    ],
)
def test_what_is_not_held_is_not_found(reader: Client, path: str, versions: list[AipVersion]) -> None:
    for name in ("00000000-0000-0000-0000-000000000000", "x", f"{versions[0].aip}-v2", f"{versions[0].aip}-v0", "%00"):
        response = reader.get(f"/api/{path.format(name)}")
        assert response.status_code == 404, name
        assert response.json()["code"] == "not-found"


@pytest.mark.parametrize("number", ["4", "99999"])
def test_no_such_document(reader: Client, versions: list[AipVersion], number: str) -> None:
    assert reader.get(f"/api/dossiers/{versions[0].aip}/documents/{number}").status_code == 404


@pytest.mark.parametrize("number", ["0", "-1", "99999999999999999999", "1;x"])
def test_no_number_at_all(reader: Client, versions: list[AipVersion], number: str) -> None:
    assert reader.get(f"/api/dossiers/{versions[0].aip}/documents/{number}").status_code == 422


def test_nothing_is_said_without_the_token(stranger: Client, versions: list[AipVersion]) -> None:
    for path in ("search", f"dossiers/{versions[0].aip}", "dossiers/x", f"aips/{versions[0].id}/content/bagit.txt"):
        response = stranger.get(f"/api/{path}")
        assert response.status_code == 401
        assert response.headers["WWW-Authenticate"] == "Bearer"
        assert response.json()["code"] == "sign-in"
    assert stranger.get("/api/search", headers={"Authorization": "Bearer wrong"}).status_code == 401


def test_a_broken_catalogue_is_told_in_two_languages(library: Archive, reader: Client) -> None:
    library.catalogue.close()
    library.work.joinpath("catalogue.sqlite").rename(library.work / "gone")
    library.work.joinpath("catalogue.sqlite").mkdir()
    response = reader.get("/api/dossiers")
    assert response.status_code >= 500
    assert set(response.json()) == {"code", "vi", "en"}
    assert "sqlite" not in response.text


def test_the_description_of_the_api_has_examples_and_errors(reader: Client) -> None:
    described = reader.get("/api/openapi.json").json()
    assert set(described["paths"]) == {
        "/api/search",
        "/api/dossiers",
        "/api/dossiers/{aip}",
        "/api/dossiers/{aip}/documents/{number}",
        "/api/aips/{aip}",
        "/api/aips/{aip}/events",
        "/api/aips/{aip}/files",
        "/api/aips/{aip}/files/{number}/signatures",
        "/api/aips/{aip}/content/{path}",
    }
    hit = described["components"]["schemas"]["HitModel"]["properties"]
    assert all("examples" in hit[name] for name in ("aip", "code", "organ", "url"))
    assert "404" in described["paths"]["/api/dossiers"]["get"]["responses"]


def test_version_ids_are_read_strictly(reader: Client, versions: list[AipVersion]) -> None:
    name = str(VersionId(versions[0].aip, 1))
    assert reader.get(f"/api/aips/{name.upper()}").status_code == 404
    assert reader.get(f"/api/aips/{name}").status_code == 200
