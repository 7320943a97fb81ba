"""The sandbox: payment providers that move no money, with a page, an API and callbacks over HTTP as real ones have. Only where DEMO is on."""
