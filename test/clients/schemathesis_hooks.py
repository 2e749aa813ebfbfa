"""Loaded by Schemathesis for explore_openapi.py: more of the bodies are the document's examples, with identifiers of
what there is, so that more calls get past the checks of their values."""

import os

from schemathesis.specs.openapi.adapter import parameters

assert parameters.EXAMPLE_USAGE_PROBABILITY == 0.2, "this version of Schemathesis decides elsewhere"
parameters.EXAMPLE_USAGE_PROBABILITY = float(os.environ["EXPLORE_EXAMPLE_SHARE"])
