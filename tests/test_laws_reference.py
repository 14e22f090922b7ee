"""The subjects of the module laws: a well-formed catalogue, modules that run, and the pitfalls that they show."""

from __future__ import annotations

import ast
import re
import warnings
from collections import Counter
from pathlib import Path

import flax
import jax
import numpy as np
import pytest
from flax import nnx

import subjects
from nnx_conformance.contracts.module_laws.execution.subject_context import subject_context
from nnx_conformance.core.candidate.subject import as_subject
from nnx_reference import Implementation, mutants, rights

MUST = {
    *("wrapper-kept", "structure-stable", "params-untouched", "jit-agrees", "split-merge-agrees", "clone-independent"),
    *("checkpoint-resumes", "scan-agrees", "vmap-agrees", "grad-clean", "remat-agrees", "cond-agrees"),
    *("optimizer-safe", "rng-advances", "rng-reproducible", "eval-frozen", "instances-independent"),
    *("input-untouched", "no-hidden-state", "no-growth", "calls-return", "updates-kept"),
    *("start-defined", "state-owned", "abstract-agrees", "pytree-agrees", "deepcopy-agrees"),
    *("switch-agrees", "loop-agrees", "custom-vjp-agrees", "vjp-agrees", "donation-safe"),
    *("reference-agrees", "inventory", "dtype-policy", "sharded-agrees", "shard-map-agrees"),
}
SHOULD = {
    *("state-precision", "param-trained", "current-access", "tree-mode-ready"),
    *("pickles", "instances-share-compilation", "keys-used-once", "indices-in-bounds"),
    *("eval-declared", "rows-independent", "gradients-agree", "represents", "sharding-stable"),
}
TRAITS = {"draws_randomness", "has_eval_mode", "grows", "rewrites_param", "per_lane_state", "discards_updates"}
TRAITS |= {"rtol", "atol", "per_shard_state"}
RIGHTS, MUTANTS = rights("module-laws"), mutants("module-laws")
PITFALLS = Path(__file__).parent.parent / "docs" / "pitfalls.md"
NEW = flax.__version__.startswith("0.12.")


def by_name(one: Implementation) -> str:
    return one.name


def installed(every: tuple[Implementation, ...]) -> list[Implementation]:
    return [one for one in every if one.applies_to(flax.__version__)]


def call(subject: dict, module: object, arguments: object) -> object:
    given = arguments if isinstance(arguments, tuple) else (arguments,)
    copied = jax.tree.map(lambda leaf: np.array(leaf) if isinstance(leaf, np.ndarray) else leaf, given)
    return subject.get("call", lambda module, *given: module(*given))(module, *copied)


@pytest.mark.parametrize("one", RIGHTS + MUTANTS, ids=by_name)
def test_metadata_is_well_formed(one: Implementation) -> None:
    assert one.story.endswith(".")
    assert set(one.catches) <= MUST | SHOULD
    assert set(one.advice) <= SHOULD
    assert bool(one.catches) == (one in MUTANTS)


def test_there_are_enough_of_each() -> None:
    catches = Counter(law for one in installed(MUTANTS) for law in one.catches)
    new = {"cond-agrees", "updates-kept", "switch-agrees", "loop-agrees", "custom-vjp-agrees", "vjp-agrees"}
    new |= {"donation-safe"}  # its mutants give one memory up twice, which older JAX lets pass
    wanted = MUST | SHOULD if NEW else MUST - new
    wanted -= set() if hasattr(nnx, "set_graph_mode") else {"tree-mode-ready"}
    wanted -= set() if NEW or flax.__version__.startswith("0.11.") else {"pytree-agrees"}
    oldest = flax.__version__.startswith("0.8.")
    wanted -= {"vmap-agrees", "shard-map-agrees"} if oldest else set()  # their mutants need what came with 0.10
    assert {law: catches[law] for law in wanted if catches[law] < (3 if NEW else 1 if oldest else 2)} == {}
    assert len(RIGHTS) >= 30


def test_no_two_subjects_are_the_same_code() -> None:
    seen: dict[str, str] = {}
    for one in RIGHTS + MUTANTS:
        body = ast.parse(one.path.read_text()).body[1:]
        code = "\n".join(ast.unparse(node) for node in body if not ast.unparse(node)[:5].isupper())
        assert seen.setdefault(code, one.name) == one.name


@pytest.mark.slow
@pytest.mark.parametrize("one", installed(RIGHTS) + installed(MUTANTS), ids=by_name)
def test_a_subject_is_a_module_that_can_be_called(one: Implementation) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        subject = one.load()
        assert set(subject) <= {"make", "inputs", "traits", "call", "horizon", "mesh", "context"}
        assert set(subject.get("traits", {})) <= TRAITS
        with subject_context(as_subject(subject)):
            module = subject["make"](nnx.Rngs(0))
            assert isinstance(module, nnx.Module)
            for _ in range(3):
                call(subject, module, subject["inputs"][0])


def test_every_pitfall_is_shown_or_explained() -> None:
    sections = re.split(r"^## (\d+)\. ", PITFALLS.read_text(), flags=re.MULTILINE)[1:]
    assert list(map(int, sections[::2])) == list(range(1, 34))
    known = {one.name: one for one in MUTANTS}
    for section in sections[1::2]:
        caught = re.findall(r"Caught by `([a-z-]+)`:\n\n```{literalinclude} \S+/mutants/(\w+)\.py", section)
        assert caught or "\nNot caught: " in section
        for law, mutant in caught:
            assert law in known[mutant].catches


@pytest.mark.parametrize("version", ["0.8.5", "0.10.7", "0.11.2", "0.12.8", "0.12.12"])
def test_the_subjects_of_others_are_well_formed(version: str) -> None:
    found = subjects.cases(version)
    assert len({case.name for case in found}) == len(found) > 20
    for case in found:
        assert set(case.breaks) | set(case.excused) <= MUST | SHOULD
        assert not (case.breaks and case.refused)
        assert set(case.subject.get("traits", {})) <= TRAITS


def test_a_version_is_compared_by_its_numbers() -> None:
    case = subjects.Case(name="one", subject={}, min_flax="0.10.7", below_flax="0.12")
    assert [case.applies_to(version) for version in ("0.8.5", "0.10.7", "0.11.2", "0.12.0")] == [
        False,
        True,
        True,
        False,
    ]
