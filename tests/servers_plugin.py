"""Start the servers before Django reads its settings; turn skips into failures where none is allowed.

Loaded by ``-p tests.servers_plugin``. The embedded servers of the tests have a ``var/`` of their own
(``var/tests``), so that a demo running beside them is not touched. The workers of pytest-xdist inherit the
environment of the controller and start nothing.

With ``PORTAL_NO_SKIP=1`` a skipped test or module fails, with its reason: a machine that is meant to have
every program says when it has not. Files published by social security are not part of the project; tests
against them may still skip where the directory that holds them is not beside it.
"""

import os
from collections.abc import Generator
from typing import Any

import pytest

from portal.servers import ServersError, provided
from portal.servers.places import ROOT

KEEPS = "PORTAL_KEEPS_MIGRATED"
"""As in `tests.scratch`, which cannot be imported before Django has its settings."""

OFFICIAL = ROOT.parent / "shared" / "onss" / "official"


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None, Any, Any]:
    if "PYTEST_XDIST_WORKER" not in os.environ:
        os.environ.setdefault("PORTAL_VAR", str(ROOT / "var" / "tests"))
        if not os.environ.get("DATABASE_URL"):
            os.environ[KEEPS] = "1"
        servers = provided()
        try:
            servers.__enter__()
        except ServersError as error:
            raise pytest.UsageError(str(error)) from None
        early_config.add_cleanup(lambda: servers.__exit__(None, None, None))
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if not hasattr(report, "wasxfail"):
        _refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _refuse_skip(report)
    return report


def _refuse_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    if not report.skipped or os.environ.get("PORTAL_NO_SKIP") != "1":
        return
    # A skip's longrepr is (file, line, reason).
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    if "onss/official" in reason and not OFFICIAL.exists():
        return
    report.outcome = "failed"
    report.longrepr = f"PORTAL_NO_SKIP=1 allows no skip: {reason}"
