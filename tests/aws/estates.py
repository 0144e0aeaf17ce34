"""Estate files that several tests of AWS read."""

MINIMAL = """
version: 1
name: acme
cloud: aws
region: ca-central-1
models:
  churn: {problem: classification}
"""

ONE_ACCOUNT = """
version: 1
name: risk
cloud: aws
region: ca-central-1
account: "111111111111"
owner: ml@risk.example
encryption: customer-managed
ci: {provider: github, owner: acme, repositories: [churn]}
people:
  data_scientists: [ds@risk.example]
  ml_engineers: ["sso:MLEngineers"]
  approvers: ["arn:aws:iam::111111111111:user/approver", approver@risk.example]
  auditors: ["arn:aws:iam::999999999999:role/audit"]
audit: {retention: 7y, lock: compliance}
environments:
  staging: {}
  production: {protect: true}
data:
  datasets:
    transactions: {path: lake/transactions/, retention: 2y}
    customers: {path: lake/customers/}
models:
  churn:
    problem: classification
    owner: churn@risk.example
    serving: {mode: realtime, replicas: {min: 2, max: 6}, initial_version: 3}
  fraud:
    problem: classification
    serving: {mode: serverless, initial_version: 1, aws: {memory_mb: 4096}}
  vision:
    problem: classification
    serving: {mode: realtime, compute: gpu-small, initial_version: 1}
  later:
    problem: regression
    serving: {mode: realtime}
  offline: {problem: regression}
"""

THREE_ACCOUNTS = """
version: 1
name: risk
cloud: aws
region: ca-central-1
account: "111111111111"
people: {data_scientists: [ds@risk.example]}
ci: {provider: gitlab, owner: acme/ml, branch: trunk}
environments:
  staging: {account: "222222222222", deploy_role: "arn:aws:iam::222222222222:role/deploy"}
  production: {account: "333333333333", deploy_role: "arn:aws:iam::333333333333:role/deploy"}
models:
  churn: {problem: classification, serving: {mode: realtime, initial_version: 1}}
"""

PEOPLED = """
version: 1
name: risk
cloud: aws
region: ca-central-1
account: "111111111111"
encryption: customer-managed
network: private
alerts: {email: [oncall@risk.example], slack: "secret:slackWebhook"}
audit: {retention: 7y, lock: compliance}
ci: {provider: github, owner: acme, repositories: [churn]}
people:
  data_scientists: [ds@risk.example]
  ml_engineers: [mle@risk.example]
  approvers: [approver@risk.example]
  operators: [operator@risk.example]
  auditors: [auditor@risk.example]
environments:
  staging: {monthly_budget_usd: 500, off_hours: {stop: "19:00", start: "07:00", timezone: America/Toronto}}
  production:
    account: "333333333333"
    deploy_role: arn:aws:iam::333333333333:role/deployer
    protect: true
    monthly_budget_usd: 2500
data:
  datasets:
    transactions: {path: lake/transactions/}
tracking: {server: managed}
features:
  customers: {entity: customer_id, event_time: ts, fields: {amount: float}}
models:
  churn:
    problem: classification
    data: {dataset: transactions, target: churned}
    training: {timeout: 4h}
    serving: {mode: realtime, replicas: {min: 2, max: 4}, initial_version: 1, capture: {sample: 0.5}}
    monitoring: {data_drift: {metric: psi, threshold: 0.2}}
  fraud:
    problem: classification
    data: {dataset: transactions, target: fraud}
    training: {compute: gpu-small}
    serving: {mode: realtime, initial_version: 1}
  scores:
    problem: regression
    data: {dataset: transactions, target: score}
    serving: {mode: batch, initial_version: 1}
"""
