"""The audit trail: acts of operators, written in the same atomic block as what they do."""
