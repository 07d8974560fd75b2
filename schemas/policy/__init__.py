"""The policy language: what a policy file may say, and reading one."""

from schemas.policy.document import PolicyDocument
from schemas.policy.findings import Finding, PolicyFileError
from schemas.policy.load import load_policy, parse_policy

__all__ = ["Finding", "PolicyDocument", "PolicyFileError", "load_policy", "parse_policy"]
