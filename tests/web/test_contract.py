"""The API against its own document: whatever is asked, nothing undocumented is answered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import positive_data_acceptance

from agents.web import openapi
from tests.web.conftest import MANAGING

if TYPE_CHECKING:
    from schemathesis import APIOperation, Case, CheckFunction

    from tests.web.town import Served

ENDLESS = "/v1/changes/stream"
LOOSE = {"/v1/changes", "/v1/webhooks"}
SCHEMA = schemathesis.openapi.from_path(openapi.FILE).exclude(path=ENDLESS)
OPERATIONS = [found.ok() for found in SCHEMA.get_all_operations() if isinstance(found, Ok)]


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: str(mode.value))
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: str(operation.label))
def test_every_answer_is_documented(
    operation: APIOperation[Any, Any, Any, Any], mode: GenerationMode, guarded: Served
) -> None:
    """No 5xx, no status, header or body that the document does not have, no way past the token."""
    # A cursor that is well formed may still be of another topic: 410. Not every text is a URL.
    excluded: list[CheckFunction] = [positive_data_acceptance] if operation.path in LOOSE else []

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=12, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
    )
    def ask(case: Case[Any]) -> None:
        case.call_and_validate(
            base_url=guarded.url,
            headers={"Authorization": f"Bearer {MANAGING}"},
            excluded_checks=excluded,
            timeout=60,
        )

    ask()
