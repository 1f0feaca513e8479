"""The OpenAPI document against the server, with values that schemathesis makes up."""

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import negative_data_rejection, positive_data_acceptance
from toy import make_photograph
from visitors import MODEL, encoded

from foveal.web.app import create_app

PICTURE = encoded(make_photograph())

schema = schemathesis.openapi.from_asgi("/api/openapi.json", create_app(model=MODEL, hosts=None))


@pytest.mark.parametrize("has_picture", [False, True])
@schema.parametrize()
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_operation_answers_as_the_document_says(case, has_picture):
    """With bytes by chance as the picture, and with a picture."""
    # No document can say which bytes are a picture, or which models and styles there are.
    excluded = [positive_data_acceptance]
    if has_picture and isinstance(case.body, dict) and "picture" in case.body:
        case.body["picture"] = PICTURE
        excluded.append(negative_data_rejection)  # what is wrong may have been the picture
    case.call_and_validate(excluded_checks=excluded)
