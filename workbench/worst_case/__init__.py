"""The worst function of a whole class, exactly: performance estimation with proved bounds."""

from workbench.worst_case.certificate import Certificate, CertificateError, verify
from workbench.worst_case.evaluate import Bounded, bounded
from workbench.worst_case.programme import Programme, ProgrammeError
from workbench.worst_case.result import WorstCase
from workbench.worst_case.routes import exact_class, worst_case
from workbench.worst_case.translate import NoExactClassError

__all__ = [
    "Bounded",
    "Certificate",
    "CertificateError",
    "NoExactClassError",
    "Programme",
    "ProgrammeError",
    "WorstCase",
    "bounded",
    "exact_class",
    "verify",
    "worst_case",
]
