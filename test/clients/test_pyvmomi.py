"""pyVmomi, newest, 8.0.3 and 7.0.3, against the SOAP façade (steps in sdk_steps.py)."""

import pytest

from test_python_sdk import ENVIRONMENTS, run_step


@pytest.mark.parametrize("environment", ENVIRONMENTS)
@pytest.mark.parametrize(
    "step",
    [
        "vim_login",
        "vim_wrong_password",
        "vim_datastores",
        "vim_property_collector",
        "vim_session_is_the_sdks_too",
    ],
)
def test_pyvmomi(shared_server, environment, step):
    run_step(environment, step, shared_server)
