"""The REST surface of agents, their runs and the feedback on them, as WorkflowAI's clients know it."""
