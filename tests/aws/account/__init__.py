"""A simulated AWS account in which the compiled machines of an estate run: moto, with its gaps closed (`gaps`).

with Account.of(rows) as account:
    account.run()
    version = account.register("churn")
    account.approve("churn", version, by="approver@risk.example")
    account.run()
    assert account.endpoint("risk-production-churn").traffic == {"champion": 1.0}
"""

from .account import Account, Execution
from .coverage import Coverage, Report
from .runs import Trained

__all__ = ["Account", "Coverage", "Execution", "Report", "Trained"]
