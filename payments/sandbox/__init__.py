"""The sandbox: payment providers that move no money. Only where DEMO is on.

With a page, an API and callbacks over HTTP as real ones have.
"""
