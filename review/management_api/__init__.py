"""The REST surface of feedback and its management, as its published contract has it."""
