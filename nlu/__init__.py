"""The Rasa project: training data, components and its own environment. Runs in ``nlu/.venv`` only."""
