"""The pytest plugin of nnx-conformance: hooks alone. It imports no JAX, and nothing of the kit, until it is used."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from nnx_conformance.core.report import Report

MARKER = "nnx_conformance(contract, candidates): one test for each candidate and check; see parametrize_with_checks"
SHARED = pytest.StashKey[str]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of the plugin."""
    group = parser.getgroup("nnx-conformance")
    group.addoption(
        "--nnx-candidate",
        action="append",
        default=[],
        metavar="TARGET",
        help="judge path.py, path.ipynb, path.py::name or package.module:name: one item per check; may be given again",
    )
    group.addoption(
        "--nnx-contract", metavar="NAME", help="the contract to judge by (default: settings, or mutability)"
    )
    group.addoption(
        "--nnx-laws",
        nargs="?",
        const="",
        metavar="PACKAGE",
        help="record the nnx modules that the tests make and call (of this package), and judge them by the module laws",
    )
    group.addoption(
        "--nnx-write-baseline",
        metavar="DAY",
        help="record what is broken today in nnx-baseline.toml, as waivers until DAY; what is fixed leaves it",
    )
    # What `nnx-conformance adopt` hands over: where to write what was recorded, in place of judging it.
    group.addoption("--nnx-recorded", default="", help=argparse.SUPPRESS)
    group.addoption("--nnx-strict", action="store_true", default=None, help="SHOULD checks fail instead of warning")


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker; with a candidate given, find out now what is wrong with the settings."""
    config.addinivalue_line("markers", MARKER)
    if config.option.nnx_candidate or config.option.nnx_write_baseline is not None:
        from nnx_conformance.pytest_plugin.session_reports import prepare

        prepare(config, lambda: shared_folder(config))
    if config.option.nnx_laws is not None:
        from nnx_conformance.pytest_plugin import laws

        laws.prepare(config, lambda: shared_folder(config))


def shared_folder(config: pytest.Config) -> str:
    """The folder in which the processes of one session share what they have; it goes with the session."""
    if SHARED not in config.stash:
        config.stash[SHARED] = tempfile.mkdtemp(prefix="nnx-conformance-")
        config.add_cleanup(lambda: shutil.rmtree(config.stash[SHARED], ignore_errors=True))
    return config.stash[SHARED]


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(file_path: Any, parent: pytest.Collector) -> Generator[None, list[Any], list[Any]]:
    """A candidate's file holds its checks; it is not imported as a test module, unless it is named like one."""
    collected = yield
    if not parent.config.option.nnx_candidate:
        return collected
    from nnx_conformance.pytest_plugin.items import collected_from

    return collected_from(file_path, parent, collected)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Add the candidates that pytest was not led to by its arguments."""
    if config.option.nnx_candidate:
        from nnx_conformance.pytest_plugin.items import missing

        items.extend(missing(session, items))


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Give every worker of pytest-xdist one folder, in which they share what one of them has judged."""
    node.workerinput["nnx_conformance_folder"] = shared_folder(node.config)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Parametrize what `parametrize_with_checks` has marked."""
    for mark in metafunc.definition.iter_markers("nnx_conformance"):
        from nnx_conformance.pytest_plugin.generate import parametrize

        parametrize(metafunc, *mark.args)
        return


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A check that is skipped is so in its candidate, not in a line of the kit."""
    report = yield
    if "nnx_conformance.pytest_plugin.items" in sys.modules:
        from nnx_conformance.pytest_plugin.items import placed

        return placed(item, report)
    return report


@pytest.fixture
def assert_conforms(pytestconfig: pytest.Config) -> Callable[..., Report]:
    """`assert_conforms(candidate, contract=None)`: fail with the report unless it conforms, else return the report."""
    from nnx_conformance.pytest_plugin.session_reports import conforming

    return conforming(pytestconfig)
