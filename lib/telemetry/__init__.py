"""Traces: spans that anybody may begin (`spans`), and what records them if it is set (`recorder`)."""
