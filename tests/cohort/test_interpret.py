"""Interpreting what people type: held against queries with what was meant, and every name of the catalogue."""

from __future__ import annotations

import copy
import functools
import json
import pickle
import re
import time
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import idc_widgets as idc
from idc_widgets.catalog.terms import PROGRAM
from idc_widgets.cohort.conditions import And, Condition, In, Or, Search, WithModalities
from idc_widgets.cohort.interpret import Interpretation, synonyms, vocabulary
from idc_widgets.cohort.interpret.near import near
from idc_widgets.cohort.interpret.words import keys_of
from idc_widgets.cohort.scalars import canonical

UNDERSTOOD = 54
LISTED = ("cancer_types", "tumor_locations", "species")

some = settings(max_examples=50, deadline=None, database=None, suppress_health_check=list(HealthCheck))


@functools.cache
def queries() -> list[dict[str, Any]]:
    path = Path(__file__).parents[1] / "queries.json"
    found: list[dict[str, Any]] = json.loads(path.read_text("utf-8"))["queries"]
    return found


def meant(query: dict[str, Any]) -> list[Condition]:
    conditions: list[Condition] = [In(c, tuple(v)) for c, v in query["meant"].items()]
    conditions += [WithModalities(tuple(query["studies"]))] if "studies" in query else []
    return conditions + ([idc.search(query["words"])] if "words" in query else [])


def same(a: Any, b: Any) -> bool:
    """Whether two lists of conditions are the same, in any order."""
    one, other = (sorted(json.dumps(canonical(c.to_json()), sort_keys=True) for c in each) for each in (a, b))
    return one == other


def is_text(found: Interpretation) -> bool:
    return not found.terms and all(isinstance(c, Search) for c in found)


def test_queries_are_understood_and_none_is_taken_for_something_else(catalog: idc.Catalog) -> None:
    wrong, open_ = [], []
    for query in queries():
        found = catalog.interpret(query["query"])
        if not same(found, meant(query)):
            (open_ if is_text(found) else wrong).append(f"{query['query']!r}: {found.label}")
    assert not wrong
    understood = len(queries()) - len(open_)
    print(f"understood {understood} of {len(queries())}; left as text: {open_}")
    assert len(queries()) >= 60
    assert understood >= UNDERSTOOD
    assert understood / len(queries()) >= UNDERSTOOD / 60


def _sql(query: dict[str, Any]) -> tuple[str, list[Any]]:
    tests, values = ["TRUE"], []
    for column, wanted in query["meant"].items():
        if column in LISTED:
            each = [f"contains(', ' || {column} || ',', ', ' || ? || ',')" for _ in wanted]
            tests.append(f"collection_id IN (SELECT collection_id FROM collections WHERE {' OR '.join(each)})")
        elif column == PROGRAM:
            tests.append("collection_id IN (SELECT collection_id FROM collections WHERE program_id = ?)")
        else:
            tests.append(f"{column} IN ({', '.join('?' for _ in wanted)})")
        values += wanted
    for modality in query.get("studies", ()):
        tests.append("StudyInstanceUID IN (SELECT StudyInstanceUID FROM idx WHERE Modality = ?)")
        values.append(modality)
    if "studies" in query:
        tests.append(f"Modality IN ({', '.join('?' for _ in query['studies'])})")
        values += query["studies"]
    return " AND ".join(tests), values


def test_counts_are_those_of_plain_sql(catalog: idc.Catalog, plain: duckdb.DuckDBPyConnection) -> None:
    counted = 0
    for query in queries():
        found = catalog.interpret(query["query"])
        if "words" in query or not same(found, meant(query)):
            continue
        where, values = _sql(query)
        (expected,) = plain.execute(f"SELECT count(*) FROM idx WHERE {where}", values).fetchone() or (None,)
        assert catalog.cohort(*found).counts.series == expected, query
        counted += 1
    assert counted >= UNDERSTOOD


def test_what_is_open_offers_what_it_could_mean(catalog: idc.Catalog) -> None:
    assert same(catalog.interpret("CT vs PET").alternatives[0], [In("Modality", ("CT", "PT"))])
    (alternative,) = catalog.interpret("lung liver").alternatives
    assert same(alternative, [In("tumor_locations", ("Lung", "lung", "Liver", "liver"))])


def test_a_reading_comes_with_the_others(catalog: idc.Catalog) -> None:
    found = catalog.interpret("prostate mri")
    assert [t.column for t in found.terms] == ["tumor_locations", "Modality"]
    assert any(same(a, [In("collection_id", ("prostate_mri",))]) for a in found.alternatives)
    assert found.alternatives[-1] == (idc.search("prostate mri"),)
    assert same(catalog.interpret("breast cancer").alternatives[0], [In("tumor_locations", ("Breast", "breast"))])
    assert same(catalog.interpret("CT and PET").alternatives[0], [In("Modality", ("CT", "PT"))])
    x_ray = catalog.interpret("x-ray and CT")
    assert x_ray[0] == Or((WithModalities(("CR", "CT")), WithModalities(("DX", "CT"))))
    assert x_ray.label == "studies with CR and CT or DX and CT"


def test_an_interpretation_is_a_tuple_of_conditions(catalog: idc.Catalog) -> None:
    found = catalog.interpret("Lung cancers, t2 axial")
    assert found == (In("cancer_types", ("Lung Cancer",)), idc.search("t2 axial"))
    assert (found.text, found.words) == ("Lung cancers, t2 axial", "t2 axial")
    assert [(t.phrase, t.column, t.values) for t in found.terms] == [("Lung cancers", "cancer_types", ("Lung Cancer",))]
    assert "cancer type Lung Cancer" in repr(found) and "other reading" in repr(found)
    assert isinstance(And(found).to_json(), dict)
    for other in (copy.copy(found), copy.deepcopy(found), pickle.loads(pickle.dumps(found))):
        assert (other, other.terms, other.alternatives) == (found, found.terms, found.alternatives)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("CT without segmentations", "a term that is not wanted"),
        ("not breast cancer", "a term that is not wanted"),
        ("lung cancer -CT", "a word with a minus"),
        ('"brain tumor"', "quotation marks"),
        ("CT or lung cancer", "terms of two columns of which either will do"),
        ("TCGA-AA-3488", "an identifier that begins like a programme"),
        ("ProstateX-0001", "an identifier that begins like a collection"),
        ("lung_1_ct", "an identifier that holds terms"),
        ("bone window", "a phrase in which a word is no term"),
        ("patients in the us", "a usual word that is also a code"),
        ("carcinoma", "a part of names"),
        ("prostate adenocarcinoma", "a name that the index does not have, made of two that it has"),
        ("annotations of CT", "annotations that may be of any kind"),
        ("non-Hodgkin lymphoma", "a disease that is not the one named in it"),
        ("MRI w/o segmentation", "an abbreviation that turns round what follows"),
        ("COVID negative", "a word that turns round what stands before it"),
        ("CT but not MR", "two words that turn it round"),
        ("lung*", "a wildcard"),
        ("control arm", "a usual word that is also a place"),
    ],
)
def test_what_is_open_stays_text(catalog: idc.Catalog, text: str, what: str) -> None:
    found = catalog.interpret(text)
    assert found == (idc.search(text),), what
    assert found.terms == ()


def test_bad_texts(catalog: idc.Catalog) -> None:
    assert catalog.interpret("  ") == ()
    with pytest.raises(TypeError, match="as text"):
        catalog.interpret(5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="are too many"):
        catalog.interpret(" ".join(map(str, range(100))))


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("glioblastma", "cancer type Glioblastoma or Glioblastoma Multiforme"),
        ("totalsegmentor", "analysis result totalsegmentator_ct_segmentations"),
        ("brest cancer mri", "cancer type Breast Cancer · modality MR"),
        ("lung cancr ct", "cancer type Lung Cancer · modality CT"),
        ("lidc-irdi", "collection lidc_idri"),
        ("breast mri female over 50", "tumour location Breast or breast · modality MR · sex F"),
    ],
)
def test_what_finds_nothing_has_a_nearest_step(catalog: idc.Catalog, text: str, label: str) -> None:
    assert near(catalog.index, text)[0].label == label


def test_no_step_leads_to_what_was_turned_down(catalog: idc.Catalog) -> None:
    assert near(catalog.index, "xylophone") == []
    for text in ("lung cancer not small cell", "CT ohne Segmentierung"):
        assert all(r.words == "" and "not" not in r.text for r in near(catalog.index, text))
        assert all("Small Cell" not in r.label and r.label not in ("cancer type Lung Cancer", "modality CT")
                   for r in near(catalog.index, text))  # fmt: skip


@pytest.mark.parametrize("number", range(0, 200, 7))
def test_spelling_makes_no_difference(catalog: idc.Catalog, number: int) -> None:
    found = [q for q in queries() if re.fullmatch(r"[A-Za-z ]+", q["query"]) and catalog.interpret(q["query"]).terms]
    text = found[number % len(found)]["query"]
    known = catalog.interpret(text)
    for other in (text.upper(), text.lower(), text.title(), f" {text}. ", re.sub(" ", "  ", text)):
        assert same([c for c in catalog.interpret(other) if not isinstance(c, Search)],
                    [c for c in known if not isinstance(c, Search)]), other  # fmt: skip


@some
@given(data=st.data())
def test_a_plain_word_more_never_widens(catalog: idc.Catalog, data: st.DataObject) -> None:
    text = data.draw(st.sampled_from([q["query"] for q in queries() if len(q["query"]) > 3]))
    before = catalog.interpret(text)
    after = catalog.interpret(f"{text} {data.draw(st.sampled_from(('axial', 't2', 'gadolinium')))}")
    if not before.terms or not after.terms:
        return
    # A usual word that is a code, too, is text beside others; all else stays, and the word narrows it.
    if all(t in after.terms for t in before.terms):
        assert catalog.cohort(*after).counts.series <= catalog.cohort(*before).counts.series
    else:
        assert catalog.cohort(*after).counts.series <= catalog.cohort(idc.search(after.words)).counts.series


# -- every name, in every spelling


def _names(catalog: idc.Catalog) -> list[tuple[str, str, str]]:
    """Column, value and name of every term of the catalogue."""
    rows = catalog.index.database.rows
    found = [("collection_id", i, n) for i, each in rows("SELECT collection_id, collection_name FROM collections_index")
             for n in (i, each)]  # fmt: skip
    found += [("analysis_result_id", i, n) for i, each in
              rows("SELECT analysis_result_id, analysis_result_title FROM analysis_results_index")
              for n in (i, each)]  # fmt: skip
    for column in ("cancer_types", "tumor_locations"):
        found += [(column, t, t) for t in sorted({t for terms in catalog.index.terms[column].values() for t in terms})]
    found += [("Modality", str(m), str(m)) for m in catalog.index.vocabulary.values["Modality"]]
    for codes, names in synonyms.MODALITIES.items():
        found += [("Modality", codes[0], n) for n in names if codes[0] in catalog.index.vocabulary.values["Modality"]]
    return found


# Names of two kinds, and descriptions that are also a collection's name: written with spaces they are the other.
SHARED = {
    keys_of(n)
    for n in (
        "soft tissue sarcoma",
        "lung phantom",
        "phantom",
        "prostate mri",
        "pancreas ct",
        "vestibular schwannoma seg",
        "various",
        "chest abdomen pelvis",
    )
}


def _holds(found: Interpretation, column: str, value: str) -> bool:
    return any(isinstance(c, In) and c.column == column and value in c.values for c in found)


def test_every_name_is_understood_in_every_spelling(catalog: idc.Catalog) -> None:
    missed = []
    for column, value, name in _names(catalog):
        plain = re.sub(r"[-_]", " ", name)
        for text in {name, name.lower(), name.upper(), plain, plain.title(), plain.lower(), plain.replace(" ", "-"),
                     plain.replace(" ", "_"), f"  {name}  "}:  # fmt: skip
            found = catalog.interpret(text)
            readings = [found, *found.alternatives]
            if keys_of(text) in SHARED:
                right = any(_holds(r, column, value) for r in readings)
            else:
                right = len(found) == 1 and not found.words and _holds(found, column, value)
            if not right:
                missed.append((column, value, text, found.label))
    assert not missed, [m[1:] for m in missed]


def test_shared_names_are_few_and_known(catalog: idc.Catalog) -> None:
    names = vocabulary.vocabulary_of(catalog.index).names
    both = {k for k, e in names.items() if {"collection_id", "cancer_types"} <= {x.column for x in e}}
    assert both <= SHARED


# Words that are in no name, beside which a name keeps its meaning.
PLAIN = ("axial", "flair", "t2", "contrast", "sag", "0001", "gadolinium", "thin", "été", "<b>", "%", "';--")


@some
@given(data=st.data())
def test_plain_words_beside_a_name_are_searched_for(catalog: idc.Catalog, data: st.DataObject) -> None:
    usual = synonyms.CAREFUL | synonyms.ALONE
    column, value, name = data.draw(st.sampled_from(_all_names(catalog)))
    if name in usual or value in usual or keys_of(name) in SHARED or name == "annotation":
        return
    words = data.draw(st.lists(st.sampled_from(PLAIN[:8]), min_size=1, max_size=3, unique=True))
    before = data.draw(st.integers(0, len(words)))
    if len(name.split()) + len(words) > 30:
        return
    found = catalog.interpret(" ".join([*words[:before], name, *words[before:]]))
    assert _holds(found, column, value)
    assert found.words == " ".join(words)
    assert idc.search(found.words) in found


@functools.cache
def _all_names(catalog: idc.Catalog) -> list[tuple[str, str, str]]:
    return _names(catalog)


@some
@given(text=st.text(max_size=200))
def test_any_text_is_read(catalog: idc.Catalog, text: str) -> None:
    if len(text.split()) > 32:
        return
    found = catalog.interpret(text)
    assert bool(found) == bool(text.strip())
    catalog.cohort(*found)  # its columns and values are the catalogue's


@some
@given(data=st.data())
def test_texts_made_of_names_are_read(catalog: idc.Catalog, data: st.DataObject) -> None:
    pieces = st.sampled_from(
        [*(n for _, _, n in _all_names(catalog) if len(n) < 40), *PLAIN, "and", "or", "with", "no"]
    )
    text = data.draw(st.sampled_from([" ", "-", ", ", "/"])).join(data.draw(st.lists(pieces, min_size=1, max_size=8)))
    if len(text.split()) > 32:
        return
    found = catalog.interpret(text)
    catalog.cohort(*found)
    assert is_text(found) or found.alternatives[-1] == (idc.search(text.strip()),)


def test_values_that_a_release_has_not_are_left_out(catalog: idc.Catalog) -> None:
    present = {
        t
        for c in ("cancer_types", "tumor_locations", "species")
        for each in catalog.index.terms[c].values()
        for t in each
    }
    for entries in vocabulary.vocabulary_of(catalog.index).names.values():
        for entry in entries:
            if entry.column in LISTED:
                assert present.issuperset(entry.values)


def test_reading_is_quick(catalog: idc.Catalog) -> None:
    catalog.interpret("warm")
    texts = [q["query"] for q in queries()] + ["lung cancer ct " * 8, "x" * 900, "a " * 30]
    began = time.perf_counter()
    for text in texts:
        catalog.interpret(text)
    assert (time.perf_counter() - began) / len(texts) < 0.01
