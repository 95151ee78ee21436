"""BagIt: every rule broken once, beside a twin that keeps it."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ingest.check import check_package
from metadata.bagit import LINE_LIMIT, TAG_LIMIT
from metadata.bagit_profile import BagProfileRefused, read_bag_profile
from tests.builders.bags import INFO, PROFILE_ID, append, bag, both, decompose, drop_line, profile, replace
from tests.rules.cases import Build, Case

HEX = "ab" * 32
ONE = ("sha256",)
A = b"1\n"
SMALL = {"a.txt": A, "b.txt": b"2\n"}
LINE = f"{hashlib.sha256(A).hexdigest()}  data/a.txt\n"
HERE = b"https://example.org/a 2 data/a.txt\n"
CODED = (*INFO, ("Agency-Code", "H20.05"), ("Fonds-Code", "P1"))
NAMED = (*INFO, ("BagIt-Profile-Identifier", PROFILE_ID))
MANIFEST, TAG_MANIFEST = "manifest-sha256.txt", "tagmanifest-sha256.txt"


def made(payload: dict[str, bytes] = SMALL, **how) -> Build:
    """A bag of two small files and one manifest of each kind, or as said."""
    return lambda folder: bag(folder / "bag", payload, **{"algorithms": ONE, **how})


def case(
    name: str, good: Build | None = None, bad: Build | None = None, *, also: tuple[str, ...] = (), as_: str = "bagit"
) -> Case:
    """``name`` is the code, with more words after a blank when a code has several cases."""
    code = frozenset({name.split()[0]})
    return Case(f"bagit {name}", code, good or made(), bad or made(), frozenset(also), as_)


def changed(name: str, change: Callable[[Path], object], *, also: tuple[str, ...] = (), **how) -> Case:
    """The bad one has ``change`` made before its tag manifests, so that these agree with it."""
    return case(name, made(**how), made(before_tag_manifests=change, **how), also=also)


def mutated(name: str, change: Callable[[Path], object], *, also: tuple[str, ...] = (), **how) -> Case:
    """The bad one has ``change`` made when all is done."""
    return case(name, made(**how), made(mutate=change, **how), also=also)


def remove(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


TAG_FILES = [
    mutated("BAG-NO-DECLARATION", remove("bagit.txt")),
    mutated("BAG-DECLARATION", append("bagit.txt", "More: x\n")),
    mutated("BAG-DECLARATION without encoding", drop_line("bagit.txt", "Encoding")),
    case("BAG-VERSION", bad=made(version="9.9")),
    mutated("BAG-ENCODING", replace("bagit.txt", "UTF-8", "rot13")),
    mutated("BAG-BOM", lambda b: (b / "bagit.txt").write_bytes(b"\xef\xbb\xbf" + (b / "bagit.txt").read_bytes())),
    changed("BAG-UNDECODABLE", append("bag-info.txt", b"Note: \xff\n")),
    changed("BAG-LINE-TOO-LONG", append("bag-info.txt", f"Note: {'x' * LINE_LIMIT}\n")),
    changed("BAG-TAG-LINE", append("bag-info.txt", "no colon\n")),
    changed("BAG-TAG-LINE only from 1.0 on", append("bag-info.txt", "Note :x\n")),
    changed("BAG-TAG-MANY", append("bag-info.txt", "Note: x\n" * (TAG_LIMIT + 1))),
    case("BAG-OXUM", made(oxum=False), made(oxum=False, info=(*INFO, ("Payload-Oxum", "4.3")))),
    case("BAG-OXUM no numbers", made(oxum=False), made(oxum=False, info=(*INFO, ("Payload-Oxum", "a.b")))),
    case("BAG-OXUM-TWICE", bad=made(info=(*INFO, ("payload-oxum", "4.2")))),
    case("BAG-TAG-TWICE", bad=made(info=(*INFO, ("Bagging-Date", "2026-07-02")))),
    case("BAG-TAG-DATE", bad=made(info=(*INFO[:3], ("Bagging-Date", "01/07/2026")))),
    case("BAG-TAG-DATE not in any calendar", bad=made(info=(*INFO[:3], ("Bagging-Date", "2026-02-30")))),
    case("BAG-TAG-COUNT", made(info=(*INFO, ("Bag-Count", "1 of ?"))), made(info=(*INFO, ("Bag-Count", "1/15")))),
    case(
        "BAG-TAG-GROUP",
        made(info=(*INFO, ("Bag-Count", "1 of 2"), ("Bag-Group-Identifier", "g"))),
        made(info=(*INFO, ("Bag-Count", "1 of 2"))),
    ),
    mutated("BAG-DECLARATION with an empty line", append("bagit.txt", "\n")),
    case("BAG-ENCODING-OTHER", made(info=()), made(info=(), encoding="ISO-8859-1")),
    case("BAG-NO-TITLE", made(info=CODED), made(info=(CODED[0], *CODED[1:2], *CODED[3:])), as_=""),
]
MANIFESTS = [
    changed("BAG-MANIFEST-LINE", append(MANIFEST, "not a line\n")),
    changed("BAG-PATH-OUTSIDE", append(MANIFEST, f"{HEX}  data/../../x\n")),
    changed("BAG-DIGEST", append(MANIFEST, "abcd  data/a.txt\n")),
    changed("BAG-WRONG-MANIFEST", append(MANIFEST, f"{HEX}  bag-info.txt\n")),
    mutated("BAG-WRONG-MANIFEST payload in a tag manifest", append(TAG_MANIFEST, LINE)),
    case("BAG-ALGORITHM", bad=made(tags={"manifest-foo.txt": b"00  data/x\n"})),
    case("BAG-NO-MANIFEST", bad=made(algorithms=()), also=("BAG-EXTRA",)),
    changed("BAG-NOT-IN-MANIFEST", drop_line("manifest-sha512.txt", "b.txt"), algorithms=("sha256", "sha512")),
    changed(
        "BAG-IN-ONE-MANIFEST",
        drop_line("manifest-sha512.txt", "b.txt"),
        algorithms=("sha256", "sha512"),
        version="0.97",
    ),
    changed("BAG-TWICE", append(MANIFEST, f"{HEX}  data/a.txt\n"), also=("PASS-CHECKSUM",), version="0.97"),
    changed("BAG-TWICE with one digest in 1.0", append(MANIFEST, LINE)),
    changed("BAG-TWICE-SAME", append(MANIFEST, LINE), version="0.97"),
    changed("BAG-SPELLING", decompose(MANIFEST), payload={"Ấn phẩm.txt": b"1"}),
    changed("BAG-ASTERISK", replace(MANIFEST, "  data/a", " *data/a"), version="0.97"),
    changed("BAG-DOT-SLASH", replace(MANIFEST, "  data/a", "  ./data/a")),
    changed("BAG-PERCENT", replace(MANIFEST, "%25", "%"), payload={"100%.txt": b"1"}),
    changed("BAG-ASTERISK-STRICT", replace(MANIFEST, "  data/a", " *data/a")),
    case("BAG-MANIFEST-NAME", bad=made(mutate=lambda b: (b / TAG_MANIFEST).rename(b / "tagmanifest-SHA-256.txt"))),
    mutated("BAG-TAG-ALGORITHMS", remove("tagmanifest-sha512.txt"), algorithms=("sha256", "sha512")),
    mutated("BAG-MANIFEST-UNLISTED", drop_line(TAG_MANIFEST, f"  {MANIFEST}")),
    mutated("BAG-TAG-UNLISTED", append("ghi chú.txt", "x")),
    mutated(
        "BAG-TAGMANIFEST-LISTED",
        lambda b: append(
            TAG_MANIFEST,
            f"{hashlib.sha256((b / 'tagmanifest-sha512.txt').read_bytes()).hexdigest()}  tagmanifest-sha512.txt\n",
        )(b),
        algorithms=("sha256", "sha512"),
    ),
]
PAYLOADS = [
    mutated("BAG-MISSING", remove("data/a.txt"), oxum=False),
    mutated("BAG-MISSING-TAG", remove("bag-info.txt")),
    mutated("BAG-EXTRA", append("data/thừa.txt", "x"), oxum=False),
    case("BAG-EMPTY", bad=made({})),
    case("BAG-NO-PAYLOAD", made(info=CODED), made({}, info=CODED), as_="", also=("BAG-EMPTY",)),
    case("BAG-SYSTEM-FILE", bad=made({**SMALL, "ảnh/Thumbs.db": b""})),
]
FETCH = [
    changed(
        "BAG-FETCH",
        both(append(MANIFEST, f"{HEX}  data/x\n"), append("fetch.txt", "http://169.254.169.254/ - data/x\n")),
        also=("BAG-MISSING",),
    ),
    case("BAG-FETCH-DONE", bad=made(fetch=HERE)),
    case("BAG-FETCH-LINE", made(fetch=HERE), made(fetch=b"not a line\n")),
    case("BAG-FETCH-NOT-PAYLOAD", made(fetch=HERE), made(fetch=b"https://example.org/b - bag-info.txt\n")),
    case(
        "BAG-FETCH-UNDECLARED", made(fetch=HERE), made(fetch=b"https://example.org/x - data/x\n"), also=("BAG-FETCH",)
    ),
    case("BAG-FETCH-LENGTH", made(fetch=HERE), made(fetch=HERE.replace(b" 2 ", b" 3 "))),
    case("BAG-PATH-OUTSIDE of fetch.txt", made(fetch=HERE), made(fetch=b"https://example.org/x - ../x\n")),
]


def of_profile(package: Path, work: Path, _: str) -> set[str]:
    """What is said of a file as a BagIt profile."""
    try:
        read_bag_profile(package.read_bytes(), package.name)
    except BagProfileRefused as refused:
        return {refused.code}
    return set()


def written(data: bytes) -> Build:
    def build(folder: Path) -> Path:
        (folder / "profile.json").write_bytes(data)
        return folder / "profile.json"

    return build


def profile_file(name: str, bad: bytes, good: bytes = profile()) -> Case:
    return Case(f"bagit {name}", frozenset({name.split()[0]}), written(good), written(bad), judge=of_profile)


def by(rules: bytes, name: str, good: Build, bad: Build, *also: str) -> Case:
    """A good and a bad bag under one profile."""
    read = read_bag_profile(rules, "profile.json")

    def judge(package: Path, work: Path, _: str) -> set[str]:
        work.mkdir(exist_ok=True)
        return set(check_package(package, work, bag_profile=read).counts)

    return Case(f"bagit {name}", frozenset({name.split()[0]}), good, bad, frozenset(also), judge=judge)


def named(payload: dict[str, bytes] = SMALL, *more: tuple[str, str], **how) -> Build:
    return made(payload, **{"info": (*NAMED, *more), **how})


def zipped(build: Build, kind: str = "zip") -> Build:
    def pack(folder: Path) -> Path:
        found = build(folder)
        return Path(shutil.make_archive(str(folder / "packed"), kind, found.parent, found.name))

    return pack


PROFILE_FILES = [
    profile_file("BAG-PROFILE-JSON", b"{"),
    profile_file("BAG-PROFILE-JSON a list", b"[]"),
    profile_file("BAG-PROFILE-JSON without end", b"[" * 100_000),
    profile_file("BAG-PROFILE-FIELD", profile(Accept_BagIt_Version=None)),
    profile_file("BAG-PROFILE-FIELD of a label", profile(Bag_Info={"A": {"required": 1}})),
    profile_file("BAG-PROFILE-FIELD a text for a list", profile(Manifests_Required="md5")),
    profile_file("BAG-PROFILE-FIELD a choice", profile(Serialization="maybe")),
    profile_file("BAG-PROFILE-FIELD nothing accepted", profile(Serialization="required")),
    profile_file("BAG-PROFILE-INFO", profile(BagIt_Profile_Info={"Version": "1"})),
    profile_file("BAG-PROFILE-CONTRADICTION", profile(Manifests_Required=["md5"], Manifests_Allowed=["sha256"])),
    profile_file(
        "BAG-PROFILE-CONTRADICTION globs",
        profile(Tag_Files_Required=["a/b"], Tag_Files_Allowed=["b/*"]),
        profile(Tag_Files_Required=["a/b"], Tag_Files_Allowed=["a/*"]),
    ),
    profile_file(
        "BAG-PROFILE-CONTRADICTION fetch.txt", profile(**{"Fetch.txt-Required": True, "Allow-Fetch.txt": False})
    ),
]
TAGGED = profile(
    Bag_Info={
        "Contact-Name": {"required": True, "repeatable": False},
        "Mode": {"values": ["01", "02"]},
        "Contact-Email": {"recommended": True},
    }
)
TAGS = (("contact-name", "Lê Văn A"), ("Contact-Email", "a@example.org"), ("Mode", "01"))
LISTS = profile(
    Manifests_Required=["sha256"],
    Manifests_Allowed=["SHA-256"],
    Tag_Manifests_Required=["sha256"],
    Tag_Manifests_Allowed=["sha256"],
    Tag_Files_Required=["metadata/a.xml"],
    Tag_Files_Allowed=["metadata/*.xml"],
    Payload_Files_Required=["data/a.txt"],
    Payload_Files_Allowed=["data/*.txt"],
)
TAG_FILE = {"metadata/a.xml": b"<a/>"}
PROFILES = [
    by(profile(), "BAG-PROFILE-VERSION", named(), named(version="0.96")),
    by(profile(), "BAG-PROFILE-IDENTIFIER", named(), made()),
    by(profile(), "BAG-PROFILE-NO-INFO", named(), named(info=None)),
    by(TAGGED, "BAG-PROFILE-TAG-MISSING", named(SMALL, *TAGS), named(SMALL, *TAGS[1:])),
    by(TAGGED, "BAG-PROFILE-TAG-ADVISED", named(SMALL, *TAGS), named(SMALL, TAGS[0])),
    by(TAGGED, "BAG-PROFILE-TAG-REPEATED", named(SMALL, *TAGS), named(SMALL, *TAGS, ("Contact-Name", "B"))),
    by(TAGGED, "BAG-PROFILE-TAG-VALUE", named(SMALL, *TAGS), named(SMALL, *TAGS[:2], ("Mode", "03"))),
    by(
        LISTS,
        "BAG-PROFILE-MANIFEST-MISSING",
        named(tags=TAG_FILE),
        named(tags=TAG_FILE, mutate=both(remove(MANIFEST), remove(TAG_MANIFEST)), algorithms=("sha256", "sha512")),
        "BAG-PROFILE-MANIFEST-EXTRA",
        "BAG-PROFILE-TAGMANIFEST-MISSING",
        "BAG-PROFILE-TAGMANIFEST-EXTRA",
        "BAG-MISSING-TAG",
    ),
    by(
        LISTS,
        "BAG-PROFILE-MANIFEST-EXTRA",
        named(tags=TAG_FILE),
        named(tags=TAG_FILE, algorithms=("sha256", "sha512"), mutate=remove("tagmanifest-sha512.txt")),
        "BAG-TAG-ALGORITHMS",
    ),
    by(
        LISTS,
        "BAG-PROFILE-TAGMANIFEST-MISSING",
        named(tags=TAG_FILE),
        named(tags=TAG_FILE, mutate=remove(TAG_MANIFEST)),
    ),
    by(
        LISTS,
        "BAG-PROFILE-TAGMANIFEST-EXTRA",
        named(tags=TAG_FILE),
        named(
            tags=TAG_FILE,
            mutate=lambda b: (b / "tagmanifest-md5.txt").write_text(
                "".join(
                    f"{hashlib.md5((b / name).read_bytes()).hexdigest()}  {name}\n"
                    for name in ("bagit.txt", "bag-info.txt", MANIFEST, "metadata/a.xml")
                )
            ),
        ),
        "BAG-TAG-ALGORITHMS",
    ),
    by(LISTS, "BAG-PROFILE-TAG-FILE-MISSING", named(tags=TAG_FILE), named()),
    by(LISTS, "BAG-PROFILE-TAG-FILE-EXTRA", named(tags=TAG_FILE), named(tags={**TAG_FILE, "x.doc": b"x"})),
    by(LISTS, "BAG-PROFILE-PAYLOAD-MISSING", named(tags=TAG_FILE), named({"b.txt": b"x"}, tags=TAG_FILE)),
    by(LISTS, "BAG-PROFILE-PAYLOAD-EXTRA", named(tags=TAG_FILE), named({**SMALL, "c.exe": b"x"}, tags=TAG_FILE)),
    by(profile(Data_Empty=True), "BAG-PROFILE-DATA-NOT-EMPTY", named({"a.txt": b""}), named({"a.txt": b"1"})),
    by(
        profile(**{"Allow-Fetch.txt": False}),
        "BAG-PROFILE-FETCH-FORBIDDEN",
        named(),
        named(fetch=HERE),
        "BAG-FETCH-DONE",
    ),
    by(profile(**{"Fetch.txt-Required": True}), "BAG-PROFILE-FETCH-MISSING", named(fetch=HERE), named()),
    by(
        profile(Serialization="required", Accept_Serialization=["application/zip"]),
        "BAG-PROFILE-NOT-SERIALIZED",
        zipped(named()),
        named(),
    ),
    by(profile(Serialization="forbidden"), "BAG-PROFILE-SERIALIZED", named(), zipped(named())),
    by(
        profile(Accept_Serialization=["application/tar", "application/x-tar+gzip"]),
        "BAG-PROFILE-MEDIA-TYPE",
        zipped(named(), "gztar"),
        zipped(named()),
    ),
    by(
        profile(Accept_Serialization=["application/x-tar"]),
        "BAG-PROFILE-MEDIA-TYPE a compressed tar",
        zipped(named(), "tar"),
        zipped(named(), "xztar"),
    ),
]
CASES = [*TAG_FILES, *MANIFESTS, *PAYLOADS, *FETCH, *PROFILE_FILES, *PROFILES]


@pytest.mark.parametrize("case", CASES, ids=lambda one: one.name)
def test_rule_both_ways(case: Case, tmp_path: Path) -> None:
    case.prove(tmp_path)


def test_every_rule_of_bagit_has_a_pair() -> None:
    from metadata.findings import finding_rules

    shown = {code for one in CASES for code in one.codes}
    assert {code for code in finding_rules() if code.startswith("BAG-")} == shown
