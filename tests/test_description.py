"""The API's description, and random requests made from it: whatever comes, no answer is a failure (contract 1.6, 5)."""

import json
import os
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from schemathesis.config import GenerationConfig, ProjectConfig, ProjectsConfig, SchemathesisConfig
from tests.world import Answer, Caller, House
