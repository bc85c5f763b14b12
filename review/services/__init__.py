"""Everything that changes verdicts, golden examples and how they are taken."""
