"""Alerts reach people who are not looking: a webhook and e-mails, each until it was sent."""
