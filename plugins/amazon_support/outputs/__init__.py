"""Answers for people: worklists, alerts and the summary, selected in SQL, rendered, and delivered by mail."""
