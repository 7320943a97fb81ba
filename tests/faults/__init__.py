"""Faults: real workers, a real broker and real servers that are killed, cut off or set to the wrong time.

`make faults` has the long forms.
"""
