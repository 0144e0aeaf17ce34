"""The frameworks that rules are evidence for. A clause is cited as `<framework> <clause>`, such as `EU AI Act 12`.

Infrastructure shows that the means exist, not that people use them; `docs/controls.md` says so where it counts.
"""

from typing import Final

__all__ = ["FRAMEWORKS"]

FRAMEWORKS: Final = {
    "NIST AI RMF": "NIST AI 100-1, Artificial Intelligence Risk Management Framework 1.0 (2023)",
    "ISO 42001": "ISO/IEC 42001:2023, AI management system, Annex A",
    "EU AI Act": "Regulation (EU) 2024/1689",
    "PIPEDA": "Personal Information Protection and Electronic Documents Act (Canada), Schedule 1",
    "Law 25": "Act respecting the protection of personal information in the private sector (Quebec, P-39.1)",
    "OSFI E-23": "OSFI Guideline E-23, Model Risk Management (2027)",
}
"""Name to the text it stands for; every clause that a rule cites begins with one of the names."""
