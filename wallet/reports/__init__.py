"""Reports for whoever supervises the platform: of a period, without test players, from folded totals and the
journal. They only read.
"""
